-- The end of a forgotten chat: its keys go unless the resident has begun a new conversation meanwhile.
-- KEYS: chats to forget, session (bot/store/parcel.py), timers, then every other key of the chat
-- ARGV: blind name, revision at which the chat was forgotten, when to look for keys that stayed
-- Returns 1 where the chat is gone
redis.call('ZREM', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
local revision = tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^%d+') or ARGV[2])
if revision > tonumber(ARGV[2]) + 1 then -- one more is the turn that said goodbye
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[2])
for i = 4, #KEYS do
  redis.call('DEL', KEYS[i])
end
return 1
