# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
# Completion of pandemoniumctl for fish.

function __pandemoniumctl_names
    command pandemoniumctl list --names $argv 2>/dev/null
end

# Whether the command is one of these.
function __pandemoniumctl_is
    set -l words (commandline -opc)
    set -l plain (string match -v -- '-*' $words[2..])
    contains -- "$plain[1]" $argv
end

# Whether the words so far are the command and this many arguments.
function __pandemoniumctl_at --argument-names command count
    set -l words (commandline -opc)
    set -l plain (string match -v -- '-*' $words[2..])
    test (count $plain) -eq (math $count + 1); and test "$plain[1]" = "$command"
end

# Whether the words so far begin with these.
function __pandemoniumctl_after
    set -l words (commandline -opc)
    set -l plain (string match -v -- '-*' $words[2..])
    set -l last (count $argv)
    test (count $plain) -ge $last; and test "$plain[1..$last]" = "$argv"
end

# What an override can be of: a program, a unit, or a name.
function __pandemoniumctl_overridable
    set -l words (commandline -opc)
    if contains -- --program $words; or contains -- -p $words
        __fish_complete_path (commandline -ct)
    else if contains -- --unit $words; or contains -- -u $words
        command systemctl list-units --all --plain --no-legend 2>/dev/null | string replace -r ' .*' ''
    else
        __pandemoniumctl_names $argv
    end
end

function __pandemoniumctl_override_set_named
    set -l words (commandline -opc)
    set -l plain (string match -v -- '-*' $words[2..])
    test (count $plain) -ge 3; and test "$plain[1..2]" = 'override set'
end

set -l columns name tier confidence cpu slice runtime seen deviation observed wakeups origin
set -l tiers batch interactive lat-critical

complete -c pandemoniumctl -f
complete -c pandemoniumctl -s h -l help -d 'Show help'
complete -c pandemoniumctl -n 'not __pandemoniumctl_is top run metrics panel' -l json -d 'Print JSON'
complete -c pandemoniumctl -l no-pager -d 'Do not pipe output into a pager'
complete -c pandemoniumctl -l no-ask-password -d 'Fail where a password would be asked for'
complete -c pandemoniumctl -n __fish_use_subcommand -l version -d 'Print the version'

complete -c pandemoniumctl -n __fish_use_subcommand -a status -d 'Show whether the service learns'
complete -c pandemoniumctl -n __fish_use_subcommand -a list -d 'List what was learned about programs'
complete -c pandemoniumctl -n __fish_use_subcommand -a show -d 'Show everything known about a program'
complete -c pandemoniumctl -n __fish_use_subcommand -a explain -d 'Say why a program has its tier'
complete -c pandemoniumctl -n __fish_use_subcommand -a confidence -d 'Print how sure what was learned is'
complete -c pandemoniumctl -n __fish_use_subcommand -a delete -d 'Forget what was learned about programs'
complete -c pandemoniumctl -n __fish_use_subcommand -a reset -d 'Forget everything that was learned'
complete -c pandemoniumctl -n __fish_use_subcommand -a override -d 'Decide the tier of a program'
complete -c pandemoniumctl -n __fish_use_subcommand -a save -d 'Write the database to disk now'
complete -c pandemoniumctl -n __fish_use_subcommand -a reload -d 'Read the configuration again'
complete -c pandemoniumctl -n __fish_use_subcommand -a load -d 'Read the database again'
complete -c pandemoniumctl -n __fish_use_subcommand -a backend -d 'Choose what observes'
complete -c pandemoniumctl -n __fish_use_subcommand -a apply -d 'Choose how predictions are applied'
complete -c pandemoniumctl -n __fish_use_subcommand -a ps -d 'Show which tasks have a slice, and why'
complete -c pandemoniumctl -n __fish_use_subcommand -a run -d 'Run a program in a tier'
complete -c pandemoniumctl -n __fish_use_subcommand -a trial -d 'Find out whether it helps on this machine'
complete -c pandemoniumctl -n __fish_use_subcommand -a monitor -d 'Follow changes as they happen'
complete -c pandemoniumctl -n __fish_use_subcommand -a top -d 'Watch what is learned, live'
complete -c pandemoniumctl -n __fish_use_subcommand -a metrics -d 'Print metrics for Prometheus'
complete -c pandemoniumctl -n __fish_use_subcommand -a panel -d 'Print a line of JSON for a panel at each change'
complete -c pandemoniumctl -n __fish_use_subcommand -a export -d 'Write all profiles as JSON'
complete -c pandemoniumctl -n __fish_use_subcommand -a import -d 'Take over exported profiles'
complete -c pandemoniumctl -n __fish_use_subcommand -a farm -d 'Learn with other machines'
complete -c pandemoniumctl -n __fish_use_subcommand -a doctor -d 'Check everything that the service needs'

complete -c pandemoniumctl -n '__pandemoniumctl_is list' -s s -l sort -x -a "$columns" -d 'Sort by a column'
complete -c pandemoniumctl -n '__pandemoniumctl_is list' -s r -l reverse -d 'Reverse the order'
complete -c pandemoniumctl -n '__pandemoniumctl_is list monitor' -s t -l tier -x -a "$tiers brief" -d 'Only this tier'
complete -c pandemoniumctl -n '__pandemoniumctl_is ps run' -s t -l tier -x -a "$tiers" -d 'The tier'
complete -c pandemoniumctl -n '__pandemoniumctl_is list ps monitor' -s a -l all -d 'Show all'
complete -c pandemoniumctl -n '__pandemoniumctl_is list' -l columns -x -a "$columns" -d 'Show these columns'
complete -c pandemoniumctl -n '__pandemoniumctl_is run' -l anyway -d 'Run it also where no tier can be had'
complete -c pandemoniumctl -n '__pandemoniumctl_at run 0' -a '(__fish_complete_command)'
complete -c pandemoniumctl -n '__pandemoniumctl_is list' -s o -l origin -x -a 'live retained override' -d 'Only of this origin'
complete -c pandemoniumctl -n '__pandemoniumctl_is list' -s c -l confident -d 'Only confident ones'
complete -c pandemoniumctl -n '__pandemoniumctl_is list' -s n -l names -d 'Print names only'
complete -c pandemoniumctl -n '__pandemoniumctl_is list delete ps monitor' -a '(__pandemoniumctl_names)'

complete -c pandemoniumctl -n '__pandemoniumctl_at show 0; or __pandemoniumctl_at explain 0; or __pandemoniumctl_at confidence 0' -a '(__pandemoniumctl_names)'
complete -c pandemoniumctl -n '__pandemoniumctl_is explain override' -s l -l literal -d 'Take a number for a name'
complete -c pandemoniumctl -n '__pandemoniumctl_is override' -s p -l program -d 'Names of programs or scripts'
complete -c pandemoniumctl -n '__pandemoniumctl_is override' -s u -l unit -d 'Names of systemd units'

complete -c pandemoniumctl -n '__pandemoniumctl_is delete' -s y -l yes -d 'Do not ask'
complete -c pandemoniumctl -n '__pandemoniumctl_is delete' -s l -l literal -d 'Take * and ? for themselves'
complete -c pandemoniumctl -n '__pandemoniumctl_is reset load' -s y -l yes -d 'Do not ask'

complete -c pandemoniumctl -n '__pandemoniumctl_at override 0' -a 'set clear list'
complete -c pandemoniumctl -n '__pandemoniumctl_after override set' -a '(__pandemoniumctl_overridable)'
complete -c pandemoniumctl -n '__pandemoniumctl_after override clear' -a '(__pandemoniumctl_overridable --origin override)'
complete -c pandemoniumctl -n __pandemoniumctl_override_set_named -a "$tiers"
complete -c pandemoniumctl -n '__pandemoniumctl_at backend 0' -a 'auto observer sched-ext pinned none'
complete -c pandemoniumctl -n '__pandemoniumctl_at apply 0' -a 'auto slices none'

complete -c pandemoniumctl -n '__pandemoniumctl_is top' -s s -l sort -x -a "$columns" -d 'Sort by a column'
complete -c pandemoniumctl -n '__pandemoniumctl_is top' -s r -l reverse -d 'Reverse the order'
complete -c pandemoniumctl -n '__pandemoniumctl_is top' -s c -l confident -d 'Only confident ones'

complete -c pandemoniumctl -n '__pandemoniumctl_is metrics' -s n -l top -x -d 'Only this many programs'
complete -c pandemoniumctl -n '__pandemoniumctl_is metrics' -s o -l output -r -F -d 'Replace this file'
complete -c pandemoniumctl -n '__pandemoniumctl_is metrics' -l openmetrics -d 'In the format of OpenMetrics'
complete -c pandemoniumctl -n '__pandemoniumctl_is export import' -F
complete -c pandemoniumctl -n '__pandemoniumctl_is import' -s m -l merge -d 'Add up all files and what is known'
complete -c pandemoniumctl -n '__pandemoniumctl_is import' -s r -l replace -d 'Forget everything learned first'
complete -c pandemoniumctl -n '__pandemoniumctl_is import' -l no-overrides -d 'Take over what was learned only'
complete -c pandemoniumctl -n '__pandemoniumctl_is import' -s y -l yes -d 'Do not ask'

complete -c pandemoniumctl -n '__pandemoniumctl_at farm 0' -a 'push pull sync audit forget'
complete -c pandemoniumctl -n '__pandemoniumctl_after farm audit' -a '(__pandemoniumctl_names)'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -s s -l store -x -d 'Where the farm is'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l label -x -d 'Share with machines of this label only'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l host -x -d 'Name of this machine in the farm'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l quorum -x -d 'Pull what this many machines have seen'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l overrides -d 'Push or pull overrides, too'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l password-file -r -F -d 'File that holds the password'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l ca-file -r -F -d 'Certificates to trust'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l state -r -F -d 'Directory that remembers what was pushed'
complete -c pandemoniumctl -n '__pandemoniumctl_is farm' -l timeout -x -d 'Wait this long for an answer'
