# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
# shellcheck shell=bash
# Completion of pandemoniumctl for bash.

# Adds the words that start with $cur, quoted for the command line.
__pandemoniumctl_words() {
	local word quoted
	while IFS= read -r word; do
		printf -v quoted %q "$word"
		[[ $quoted == "$cur"* || $word == "$cur"* ]] && COMPREPLY+=("$quoted")
	done
}

__pandemoniumctl_names() {
	__pandemoniumctl_words < <(command pandemoniumctl list --names "$@" 2>/dev/null)
}

# The options of a command beside the common ones.
__pandemoniumctl_options() {
	case $1 in
	'') echo --version ;;
	list) echo --sort --reverse --tier --origin --confident --names --all --columns -s -r -t -o -c -n -a ;;
	ps | monitor) echo --tier --all -t -a ;;
	metrics) echo --top --output --openmetrics -n -o ;;
	run) echo --tier --anyway -t ;;
	explain) echo --literal -l ;;
	override) echo --literal --program --unit -l -p -u ;;
	delete) echo --yes --literal -y -l ;;
	reset | load) echo --yes -y ;;
	top) echo --sort --reverse --confident -s -r -c ;;
	farm)
		echo --store --label --host --quorum --overrides --password-file --ca-file --state --timeout -s
		;;
	import) echo --merge --no-overrides --replace --yes -m -r -y ;;
	esac
}

_pandemoniumctl() {
	local cur prev command='' position=0 i
	local commands='status list show explain confidence delete reset override save reload load
		backend apply ps run trial monitor top metrics panel export import farm doctor'
	local common='--help --json --no-pager --no-ask-password -h'
	local columns='name tier confidence cpu slice runtime seen deviation observed wakeups origin'
	local tiers='batch interactive lat-critical'
	local words=("${COMP_WORDS[@]}") cword=$COMP_CWORD

	# Task names have colons in them, at which bash would break them.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev words cword
	else
		cur=${words[cword]}
		prev=${words[cword - 1]}
	fi
	COMPREPLY=()
	# bash breaks --sort=COLUMN at the sign.
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $prev == = ]]; then
		prev=${words[cword - 2]}
	fi

	# How many arguments stand between the command and the cursor.
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-s | -t | -o | --sort | --tier | --origin | --columns | --store | --label | --host | --quorum | \
			--password-file | --ca-file | --state | --timeout)
			[[ ${words[i + 1]} != = ]] || ((i++))
			((i++))
			;;
		-*) ;;
		*)
			if [[ -z $command ]]; then
				command=${words[i]}
			else
				((position++))
			fi
			;;
		esac
	done

	case $command:$prev in
	list:--sort | list:-s | top:--sort | top:-s)
		mapfile -t COMPREPLY < <(compgen -W "$columns" -- "$cur")
		return
		;;
	list:--tier | list:-t | monitor:--tier | monitor:-t)
		mapfile -t COMPREPLY < <(compgen -W "$tiers brief" -- "$cur")
		return
		;;
	ps:--tier | ps:-t | run:--tier | run:-t)
		mapfile -t COMPREPLY < <(compgen -W "$tiers" -- "$cur")
		return
		;;
	list:--columns)
		mapfile -t COMPREPLY < <(compgen -W "$columns" -- "$cur")
		return
		;;
	farm:--password-file | farm:--ca-file | farm:--state | metrics:--output | metrics:-o)
		compopt -o default 2>/dev/null
		return
		;;
	farm:--store | farm:-s | farm:--label | farm:--host | farm:--quorum | farm:--timeout | metrics:--top | metrics:-n) return ;;
	list:--origin | list:-o)
		mapfile -t COMPREPLY < <(compgen -W 'live retained override' -- "$cur")
		return
		;;
	esac

	[[ $command != top && $command != run && $command != metrics && $command != panel ]] ||
		common=${common/ --json/}
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(
			compgen -W "$common $(__pandemoniumctl_options "$command")" -- "$cur"
		)
		return
	fi
	case $command:$position in
	:*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
	list:* | delete:* | ps:* | monitor:* | show:0 | explain:0 | confidence:0 | override:[1-9]*)
		local of=name
		[[ $command != override || ! " ${words[*]} " =~ \ (--program|-p)\  ]] || of=program
		[[ $command != override || ! " ${words[*]} " =~ \ (--unit|-u)\  ]] || of=unit
		if [[ $of == program ]]; then
			compopt -o default 2>/dev/null
		elif [[ $of == unit ]]; then
			__pandemoniumctl_words < <(
				systemctl list-units --all --plain --no-legend 2>/dev/null | sed 's/ .*//'
			)
		fi
		if [[ $command == override && " ${words[*]} " == *' clear '* ]]; then
			[[ $of != name ]] || __pandemoniumctl_names --origin override
		elif [[ $command != override || " ${words[*]} " == *' set '* ]]; then
			[[ $of != name ]] || __pandemoniumctl_names
			[[ $command:$position == override:1 || $command != override ]] ||
				__pandemoniumctl_words < <(printf '%s\n' $tiers)
		fi
		;;
	override:0) mapfile -t COMPREPLY < <(compgen -W 'set clear list' -- "$cur") ;;
	farm:0) mapfile -t COMPREPLY < <(compgen -W 'push pull sync audit forget' -- "$cur") ;;
	farm:1) [[ " ${words[*]} " != *' audit '* ]] || __pandemoniumctl_names ;;
	backend:0) mapfile -t COMPREPLY < <(compgen -W 'auto observer sched-ext pinned none' -- "$cur") ;;
	apply:0) mapfile -t COMPREPLY < <(compgen -W 'auto slices none' -- "$cur") ;;
	run:0) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	run:* | export:0 | import:*) compopt -o default 2>/dev/null ;;
	esac
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _pandemoniumctl pandemoniumctl
