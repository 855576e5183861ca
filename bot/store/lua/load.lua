-- Everything a turn needs to know of a chat, in one round trip.
-- KEYS: session (bot/store/parcel.py), kept hash, outbox stream; timers, which it does not ask
-- Returns {revision, sealed session, language, chosen, unreachable, ids said but perhaps not delivered}
local value = redis.call('GET', KEYS[1])
local revision, sealed, ids = false, false, ''
if value then
  local line, list, chat, at = string.match(value, '^(%d+) (%S*) (%d+)\n()')
  if line then
    revision, ids, sealed = line, list, string.sub(value, at + chat)
  else
    sealed = value
  end
end
local kept = redis.call('HMGET', KEYS[2], 'l', 'c', 'u')
local waiting = {}
for id in string.gmatch(ids, '[^,]+') do
  if #redis.call('XRANGE', KEYS[3], id, id) > 0 then
    waiting[#waiting + 1] = id
  end
end
return {revision, sealed, kept[1], kept[2], kept[3], waiting}
