-- Count an answer. One answer a picture: of many sent at once only the first is looked at.
-- KEYS: standing of the chat (hash)
-- ARGV: ref, number of the picture, right ('1' or '0'), now (s), tries, excused until (s), life (s)
-- Returns 'passed' (now or before), 'wrong', 'stale' (another picture is shown by now), 'spent' or 'over'
local open = redis.call('HMGET', KEYS[1], 'r', 'x', 'n')
if open[1] ~= ARGV[1] or tonumber(open[2]) <= tonumber(ARGV[4]) then
  return 'over'
elseif open[3] == '0' then
  return 'passed'
elseif tonumber(open[3]) > tonumber(ARGV[5]) then
  return 'spent'
elseif open[3] ~= ARGV[2] then
  return 'stale'
end
redis.call('HDEL', KEYS[1], 'i')
if ARGV[3] ~= '1' then
  redis.call('HINCRBY', KEYS[1], 'n', 1)
  return 'wrong'
end
redis.call('HSET', KEYS[1], 'n', '0', 'g', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[7])
return 'passed'
