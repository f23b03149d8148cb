/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "scripts.h"

#include <glib.h>

/* clang-format off */

/*
 * What the two share that change sums. A machine's record of a name is 12 numbers: votes for the
 * three tiers, runs, right, wrong, first and last seen in s, and the steps (steps.h) of its four
 * averages.
 * The farm's record is 9 numbers, of all machines that saw the name: the votes, of each machine
 * no more than FARM_HOST_WEIGHT in all; how many machines; runs, right, wrong, first, last; and
 * behind them for each step of each average how many machines have it, as a57=3. So a median
 * can be read from it, a machine's part can be taken out of it, and nothing is rounded. Numbers
 * are doubles in Lua: below MOST, 2^46, all sums here are exact.
 */
#define COMMON(sum) \
	"local SUM = " sum "\n" \
	"if redis.replicate_commands then redis.replicate_commands() end\n" \
	"local MOST, WEIGHT = 70368744177664, " G_STRINGIFY(FARM_HOST_WEIGHT) "\n" \
	"local LETTERS = {'a', 'd', 'w', 'c'}\n" \
	"local function number(text)\n" \
	" local n = tonumber(text)\n" \
	" if not n or n < 0 or n ~= n then return 0 end\n" \
	" return math.min(math.floor(n), MOST)\n" \
	"end\n" \
	"local function split(text, most)\n" \
	" local t = {}\n" \
	" for word in string.gmatch(text or '', '%S+') do t[#t + 1] = word end\n" \
	" for i = 1, most do t[i] = number(t[i]) end\n" \
	" return t\n" \
	"end\n" \
	"local function join(t, most)\n" \
	" local words = {}\n" \
	" for i = 1, most do words[i] = string.format('%.0f', t[i]) end\n" \
	" return table.concat(words, ' ')\n" \
	"end\n" \
	"local function share(t, i)\n" \
	" local votes = t[1] + t[2] + t[3]\n" \
	" if votes <= WEIGHT then return t[i] end\n" \
	" return math.floor((t[i] * WEIGHT * 2 + votes) / (2 * votes))\n" \
	"end\n" \
	"local function read_sum(name)\n" \
	" local t = split(redis.call('HGET', SUM, name), 9)\n" \
	" local hosts = {}\n" \
	" for i = 10, #t do\n" \
	"  local key, n = string.match(t[i], '^(%a%d+)=(%d+)$')\n" \
	"  if key then hosts[key] = number(n) end\n" \
	" end\n" \
	" return t, hosts\n" \
	"end\n" \
	"local function count(t, hosts, host, sign)\n" \
	" for i = 1, 3 do t[i] = math.max(t[i] + sign * share(host, i), 0) end\n" \
	" t[4] = math.max(t[4] + sign, 0)\n" \
	" for i = 4, 6 do t[i + 1] = math.max(t[i + 1] + sign * host[i], 0) end\n" \
	" if sign > 0 and host[7] > 0 and (t[8] == 0 or host[7] < t[8]) then t[8] = host[7] end\n" \
	" if sign > 0 and host[8] > t[9] then t[9] = host[8] end\n" \
	" for i = 1, 4 do\n" \
	"  local key = LETTERS[i] .. string.format('%.0f', host[8 + i])\n" \
	"  hosts[key] = (hosts[key] or 0) + sign\n" \
	" end\n" \
	"end\n" \
	"local function write_sum(name, t, hosts)\n" \
	" if t[4] == 0 then redis.call('HDEL', SUM, name) return end\n" \
	" local words = {join(t, 9)}\n" \
	" for key, n in pairs(hosts) do\n" \
	"  if n > 0 then words[#words + 1] = key .. '=' .. string.format('%.0f', n) end\n" \
	" end\n" \
	" redis.call('HSET', SUM, name, table.concat(words, ' '))\n" \
	"end\n"

/*
 * KEYS: serials and records of the machine, the farm's records, when machines were seen.
 * ARGV: machine, incarnation, serial, seconds that all is kept, and 13 words for each name: the
 * name, and what is added to the record of the machine; of times and steps what they are now.
 * A serial that is not the next one changes nothing: an answer may have been lost.
 */
const char *const farm_script_push = COMMON("KEYS[3]")
	"local now = tonumber(redis.call('TIME')[1])\n"
	"local keep = number(ARGV[4])\n"
	"local known = number(string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^%d+'))\n"
	"local serial = number(ARGV[3])\n"
	"if serial <= known then return {'again', known} end\n"
	"if serial ~= known + 1 then return {'gap', known, redis.call('EXISTS', KEYS[2])} end\n"
	"local room = " G_STRINGIFY(FARM_MAX_NAMES) " - redis.call('HLEN', KEYS[2])\n"
	"local left_out = 0\n"
	"for at = 5, #ARGV - 12, 13 do\n"
	" local name = ARGV[at]\n"
	" local old = redis.call('HGET', KEYS[2], name)\n"
	" if old or room > 0 then\n"
	"  local t, hosts = read_sum(name)\n"
	"  local new = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}\n"
	"  if old then\n"
	"   new = split(old, 12)\n"
	"   count(t, hosts, new, -1)\n"
	"  else\n"
	"   room = room - 1\n"
	"  end\n"
	"  for i = 1, 6 do new[i] = math.min(new[i] + number(ARGV[at + i]), MOST) end\n"
	"  local first, last = number(ARGV[at + 7]), math.min(number(ARGV[at + 8]), now)\n"
	"  if first > 0 and (new[7] == 0 or first < new[7]) then new[7] = first end\n"
	"  if last > new[8] then new[8] = last end\n"
	"  for i = 9, 12 do new[i] = number(ARGV[at + i]) end\n"
	"  count(t, hosts, new, 1)\n"
	"  write_sum(name, t, hosts)\n"
	"  redis.call('HSET', KEYS[2], name, join(new, 12))\n"
	" else\n"
	"  left_out = left_out + 1\n"
	" end\n"
	"end\n"
	"redis.call('HSET', KEYS[1], ARGV[2], ARGV[3] .. ' ' .. string.format('%.0f', now))\n"
	"redis.call('EXPIRE', KEYS[1], ARGV[4])\n"
	"redis.call('ZADD', KEYS[4], now, ARGV[1])\n"
	"if redis.call('HLEN', KEYS[1]) % 64 == 0 then\n"
	" local all = redis.call('HGETALL', KEYS[1])\n"
	" for i = 1, #all, 2 do\n"
	"  if number(string.match(all[i + 1], '%d+$')) < now - keep then redis.call('HDEL', KEYS[1], all[i]) end\n"
	" end\n"
	"end\n"
	"return {'ok', serial, left_out}\n";

/*
 * Takes names out of what a machine gave.
 * KEYS: records of the machine, the farm's records, when machines were seen, overrides.
 * ARGV: machine, names.
 */
const char *const farm_script_drop = COMMON("KEYS[2]")
	"for at = 2, #ARGV do\n"
	" local old = redis.call('HGET', KEYS[1], ARGV[at])\n"
	" if old then\n"
	"  local t, hosts = read_sum(ARGV[at])\n"
	"  count(t, hosts, split(old, 12), -1)\n"
	"  write_sum(ARGV[at], t, hosts)\n"
	"  redis.call('HDEL', KEYS[1], ARGV[at])\n"
	" end\n"
	"end\n"
	"local left = redis.call('HLEN', KEYS[1])\n"
	"if left == 0 then\n"
	" redis.call('ZREM', KEYS[3], ARGV[1])\n"
	" redis.call('HDEL', KEYS[4], ARGV[1])\n"
	"end\n"
	"return {'ok', left}\n";

/*
 * What a machine has decided, in place of what it had: however often it is sent, it is the same.
 * KEYS: overrides, when machines were seen. ARGV: machine, its record (decisions.h), or nothing.
 */
const char *const farm_script_decide =
	"if redis.replicate_commands then redis.replicate_commands() end\n"
	"if ARGV[2] == '' then\n"
	" redis.call('HDEL', KEYS[1], ARGV[1])\n"
	"else\n"
	" redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
	" redis.call('ZADD', KEYS[2], tonumber(redis.call('TIME')[1]), ARGV[1])\n"
	"end\n"
	"return {'ok'}\n";

/* clang-format on */
