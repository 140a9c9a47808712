local WINDOW, MIN_MATCH, MAX_MATCH, CHAIN, HASH_SIZE = 32768, 4, 250, 64, 16384
local floor = math.floor

local seed = 42
local function draw(n)
  seed = (seed * 3877 + 29573) % 139968
  return seed % n
end

local function make_text(size)
  local words = {}
  for w = 0, 499 do
    local word = {}
    for i = 1, 2 + draw(9) do word[i] = 97 + draw(26) end
    words[w] = word
  end
  local out, n = {}, 0
  while n < size do
    local word = words[floor(draw(500) * draw(500) / 500)]
    for i = 1, #word do out[n] = word[i]; n = n + 1 end
    out[n] = draw(12) == 0 and 10 or 32
    n = n + 1
  end
  return out, n
end

local function hash_at(s, i)
  return ((s[i] * 33 + s[i + 1]) * 33 + s[i + 2]) * 33 % HASH_SIZE
end

local matches = 0

local function compress(s, size)
  local out, m = {}, 0
  local head, prev = {}, {}
  for i = 0, HASH_SIZE - 1 do head[i] = -1 end
  local i = 0
  while i < size do
    local best, from = 0, 0
    if i + MIN_MATCH <= size then
      local limit, tries = size - i, CHAIN
      if limit > MAX_MATCH then limit = MAX_MATCH end
      local at = head[hash_at(s, i)]
      while at >= 0 and i - at < WINDOW and tries > 0 do
        local n = 0
        while n < limit and s[at + n] == s[i + n] do n = n + 1 end
        if n > best then
          best = n
          from = at
        end
        at = prev[at]
        tries = tries - 1
      end
    end
    local count = 1
    if best >= MIN_MATCH then
      local distance = i - from
      out[m] = 255
      out[m + 1] = best
      out[m + 2] = distance % 256
      out[m + 3] = floor(distance / 256)
      m = m + 4
      count = best
      matches = matches + 1
    else
      out[m] = s[i]
      m = m + 1
    end
    local stop = i + count
    while i < stop do
      if i + MIN_MATCH <= size then
        local h = hash_at(s, i)
        prev[i] = head[h]
        head[h] = i
      end
      i = i + 1
    end
  end
  return out, m
end

local function expand(s, size)
  local out, n, i = {}, 0, 0
  while i < size do
    if s[i] ~= 255 then
      out[n] = s[i]
      n = n + 1
      i = i + 1
    else
      local length, from = s[i + 1], n - (s[i + 2] + s[i + 3] * 256)
      for k = 0, length - 1 do out[n] = out[from + k]; n = n + 1 end
      i = i + 4
    end
  end
  return out, n
end

local text, size = make_text(6000000)
local packed, packed_size = compress(text, size)
local again, again_size = expand(packed, packed_size)
local same = size == again_size
for i = 0, size - 1 do
  if text[i] ~= again[i] then same = false end
end
local sum = 0
for i = 0, packed_size - 1 do sum = (sum * 31 + packed[i]) % 1000003 end
print(string.format("%d %d %d %d", size, packed_size, matches, sum))
print(same and "same" or "different")
