-- The chat gives the code. The right one ends the sign-in once; the same effect again hears the same.
-- KEYS: sign-in   ARGV: chat name, effect key, code's name, wrong codes allowed
-- Returns {'right', sealed result}, {'wrong'} or {'spent'}
local known = redis.call('HMGET', KEYS[1], 'n', 'l', 'o', 'k', 'c')
if known[1] ~= ARGV[1] then
  return {'spent'} -- another chat's, or gone: nothing is counted against the chat it belongs to
end
if known[2] == ARGV[2] then
  return {known[3], known[5]}
end
if not known[4] then
  return {'spent'} -- nobody has signed in yet, or it is over
end
local said = 'wrong'
if known[4] == ARGV[3] then
  said = 'right'
elseif redis.call('HINCRBY', KEYS[1], 'x', 1) >= tonumber(ARGV[4]) then
  said = 'spent'
  redis.call('HDEL', KEYS[1], 'c')
end
if said ~= 'wrong' then
  redis.call('HDEL', KEYS[1], 't', 'b', 's', 'g', 'w', 'v', 'k')
end
redis.call('HSET', KEYS[1], 'l', ARGV[2], 'o', said)
return {said, said == 'right' and known[5] or ''}
