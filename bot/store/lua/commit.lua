-- A turn, all of it or none: session, outbox, timer, and the receipts of earlier deliveries.
-- KEYS: session (bot/store/parcel.py), kept hash, outbox stream, timers
-- ARGV: life (s), kept life (s), consumer, expected revision ('' for none), new revision, sealed session, sealed
--       chat ('' without a timer), blind name, due (epoch s, 0 for none), language, chosen, n, how many of them are
--       replies (first), n sealed entries, ids delivered
-- Returns the entries' ids, or false when another turn was first.
local revision, ids, chat = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%S*) (%d+)\n')
if (revision or '') ~= ARGV[4] then
  return false
end
local name, consumer, count, replies = ARGV[8], ARGV[3], tonumber(ARGV[12]), tonumber(ARGV[13])
for i = 14 + count, #ARGV do
  redis.call('XACK', KEYS[3], 'out', ARGV[i])
  redis.call('XDEL', KEYS[3], ARGV[i])
end
local waiting = {}
for id in string.gmatch(ids or '', '[^,]+') do
  if #redis.call('XRANGE', KEYS[3], id, id) > 0 then
    waiting[#waiting + 1] = id
  end
end
local made = {}
for i = 1, count do
  local id = redis.call('XADD', KEYS[3], '*', 'd', ARGV[13 + i], 'n', name)
  made[i] = id
  if i <= replies then -- what is said next waits for replies, not for effects
    waiting[#waiting + 1] = id
  end
end
if count > 0 then
  -- Claimed for this process at once: whoever finds them idle later knows that it died.
  local read = redis.pcall('XREADGROUP', 'GROUP', 'out', consumer, 'STREAMS', KEYS[3], '>')
  if type(read) == 'table' and read.err then
    redis.call('XGROUP', 'CREATE', KEYS[3], 'out', '0', 'MKSTREAM')
    redis.call('XREADGROUP', 'GROUP', 'out', consumer, 'STREAMS', KEYS[3], '>')
  end
end
local line = ARGV[5] .. ' ' .. table.concat(waiting, ',') .. ' ' .. #ARGV[7] .. '\n'
redis.call('SET', KEYS[1], line .. ARGV[7] .. ARGV[6], 'EX', ARGV[1])
redis.call('HSET', KEYS[2], 'l', ARGV[10], 'c', ARGV[11])
redis.call('EXPIRE', KEYS[2], ARGV[2])
if ARGV[9] ~= '0' then
  redis.call('ZADD', KEYS[4], ARGV[9], name)
elseif (chat or '0') ~= '0' then -- only who has a timer has its chat here
  redis.call('ZREM', KEYS[4], name)
end
return made
