-- Counts one call against each rate: KEYS are counters, ARGV has strategy, calls and microseconds for each.
-- Answers three numbers for each: whether it is within, how many are left, microseconds to wait.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {}
local broken = false

local function put(key, value, micros)
  redis.call('SET', key, value, 'PX', math.max(math.ceil(micros / 1000), 1))
end

local function bucket(key, calls, per)
  local each = math.max(math.floor(per / calls), 1)
  local whole = each * calls
  local full = tonumber(redis.call('GET', key) or now)
  -- A clock that was set back must not lock anybody out for longer than one filling.
  full = math.min(math.max(full, now), now + whole)
  local ahead = full + each - now
  if ahead > whole then return 0, 0, ahead - whole end
  put(key, string.format('%.0f', full + each), ahead)
  return 1, math.floor((whole - ahead) / each), ahead
end

local function window(key)
  local began, before, count = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')
  if not began or tonumber(began) > now then return now, 0, 0 end
  return tonumber(began), tonumber(before), tonumber(count)
end

local function keep(key, began, before, count, micros)
  put(key, string.format('%.0f %.0f %.0f', began, before, count), micros)
end

local function fixed(key, calls, per)
  local began, _, count = window(key)
  if now >= began + per then began, count = now, 0 end
  local wait = began + per - now
  if count >= calls then return 0, 0, wait end
  keep(key, began, 0, count + 1, wait)
  return 1, calls - count - 1, wait
end

-- After how much of a window no more than `may` of the calls before it count.
local function shrunk(calls, may, per)
  if calls <= may then return 0 end
  return per - math.floor(may * per / calls)
end

local function sliding(key, calls, per)
  local kept = redis.call('GET', key) or ''
  local began, before, count, last = string.match(kept, '^(%d+) (%d+) (%d+) (%d+)$')
  -- Calls of the window before are taken for spread over it; that none came for a whole window is known better than that.
  if not began or tonumber(last) > now or now >= last + per then began, before, count, last = now, 0, 0, now end
  began, before, count = tonumber(began), tonumber(before), tonumber(count)
  local quiet = last + per - now
  local windows = math.floor((now - began) / per)
  if windows > 0 then
    before = windows == 1 and count or 0
    count = 0
    began = began + windows * per
  end
  local gone = now - began
  local used = math.ceil(before * (per - gone) / per) + count
  if used < calls then
    put(key, string.format('%.0f %.0f %.0f %.0f', began, before, count + 1, now), per)
    return 1, calls - used - 1, per
  end
  local wait
  if count + 1 <= calls then
    wait = shrunk(before, calls - count - 1, per) - gone
  else
    wait = per - gone + shrunk(count, calls - 1, per)
  end
  return 0, 0, math.max(math.min(wait, quiet), 1)
end

local strategies = { bucket = bucket, fixed = fixed, sliding = sliding }

for index, key in ipairs(KEYS) do
  local within, left, wait = 1, 0, 0
  if not broken then
    local count = strategies[ARGV[3 * index - 2]]
    within, left, wait = count(key, tonumber(ARGV[3 * index - 1]), tonumber(ARGV[3 * index]))
    broken = within == 0
  end
  table.insert(answer, within)
  table.insert(answer, left)
  table.insert(answer, wait)
end
return answer
