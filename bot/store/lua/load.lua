-- Everything a turn needs to know of a chat, in one round trip.
-- KEYS: session hash, kept hash, outbox stream
-- Returns {revision, sealed session, language, chosen, unreachable, ids said but perhaps not delivered}
local session = redis.call('HMGET', KEYS[1], 'r', 'v', 'o')
local kept = redis.call('HMGET', KEYS[2], 'l', 'c', 'u')
local waiting = {}
for id in string.gmatch(session[3] or '', '[^,]+') do
  if #redis.call('XRANGE', KEYS[3], id, id) > 0 then
    waiting[#waiting + 1] = id
  end
end
return {session[1], session[2], kept[1], kept[2], kept[3], waiting}
