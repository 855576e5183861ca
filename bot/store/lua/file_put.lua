-- Keep a file, and of a chat's files no more than so many: the oldest go.
-- KEYS: files of the chat (sorted set of references by the millisecond they came), the file
-- ARGV: reference, sealed content, life (s), how many, what every file's key begins with
local time = redis.call('TIME')
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
for _, old in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1 - tonumber(ARGV[4]))) do
  redis.call('DEL', ARGV[5] .. old)
  redis.call('ZREM', KEYS[1], old)
end
return 1
