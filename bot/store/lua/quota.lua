-- Let one thing through a sliding window, or not: the question and the count are one act.
-- KEYS: log (sorted set of ids by the second they were let through)[, standing of the chat (hash)]
-- ARGV: now (s), window (s), free, most, id, picture already passed ('1' or '0'), origin ('' for unknown)
-- Returns {0 go on, 1 a picture first, 2 not before; from when it would go on without a picture, else at all (s);
--          picture passed; origin}
-- An id that is in the window already costs nothing: an effect that is run again, a second try.
local log, standing = KEYS[1], KEYS[2]
local now, window, free, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local passed, origin = ARGV[6] == '1', ARGV[7]
if standing then
  passed = tonumber(redis.call('HGET', standing, 'g') or '0') > now
  if origin ~= '' then
    redis.call('HSET', standing, 'o', origin)
    if redis.call('TTL', standing) < window then
      redis.call('EXPIRE', standing, window)
    end
  else -- a timer, a page's news: the chat is still where it last was
    origin = redis.call('HGET', standing, 'o') or ''
  end
end
redis.call('ZREMRANGEBYSCORE', log, '-inf', now - window)
if redis.call('ZSCORE', log, ARGV[5]) then
  return {0, 0, passed and 1 or 0, origin}
end
local used = redis.call('ZCARD', log)
local verdict, limit = 0, 0
if used >= most then
  verdict, limit = 2, most
elseif used >= free and not passed then
  verdict, limit = 1, free
end
if verdict > 0 then
  local leaves = redis.call('ZRANGE', log, used - limit, used - limit, 'WITHSCORES')
  return {verdict, tonumber(leaves[2]) + window, passed and 1 or 0, origin}
end
redis.call('ZADD', log, now, ARGV[5])
redis.call('EXPIRE', log, window)
return {0, 0, passed and 1 or 0, origin}
