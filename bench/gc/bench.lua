-- The workloads of workloads.c, for LuaJIT (arrays of floats and bytes through its FFI).
local ffi, bit = require 'ffi', require 'bit'
ffi.cdef [[typedef struct { long s, ns; } Time; int clock_gettime(int, Time *);]]
local band, bxor, lshift, rshift = bit.band, bit.bxor, bit.lshift, bit.rshift

local time = ffi.new 'Time'
local function now_us()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.s) * 1e6 + tonumber(time.ns) / 1e3
end

local random_state = 12345
local function next_random()
  random_state = bxor(random_state, lshift(random_state, 13))
  random_state = bxor(random_state, rshift(random_state, 17))
  random_state = bxor(random_state, lshift(random_state, 5))
  return random_state % 4294967296
end

local function build_tree(depth)
  if depth == 0 then return {left = false, right = false} end
  local left = build_tree(depth - 1)
  local right = build_tree(depth - 1)
  return {left = left, right = right}
end
local function count_nodes(node)
  if not node.left then return 1 end
  return 1 + count_nodes(node.left) + count_nodes(node.right)
end
local function trees(limit)
  local total = count_nodes(build_tree(limit + 1))
  local longlived = build_tree(limit)
  for depth = 4, limit, 4 do
    for _ = 1, 2 ^ (limit - depth + 4) do total = total + count_nodes(build_tree(depth)) end
  end
  return total + count_nodes(longlived)
end

local latencies, latency_count = nil, 0
local function chain(length)
  local head = false
  for i = 0, length - 1 do head = {a = head, b = false, c = false, d = false, v0 = i, v1 = 0, v2 = 0} end
  return head
end
local function churn(count, operations)
  local tbl = {}
  for i = 1, count do tbl[i] = chain(4) end
  latencies = ffi.new('double[?]', operations / 64 + 1)
  local sum, before = 0, now_us()
  for i = 0, operations - 1 do
    local last = false
    for _ = 1, 4 do last = {next = last, x = i, y = 0} end
    while last do
      sum = sum + last.x
      last = last.next
    end
    if band(i, 15) == 0 then
      local made = chain(4)
      tbl[next_random() % count + 1] = made
    end
    if band(i, 3) == 1 then
      local made = {next = false, x = 0, y = 0}
      tbl[next_random() % count + 1].b = made
    end
    if band(i, 63) == 63 then
      local now = now_us()
      latencies[latency_count] = now - before
      latency_count = latency_count + 1
      before = now
    end
  end
  return sum
end

local function small(count)
  local ring, sum = {}, 0
  for i = 1, 1024 do ring[i] = false end
  for i = 0, count - 1 do
    local made = {next = false, x = i, y = bxor(i, 5)}
    local k = band(i, 1023) + 1
    local old = ring[k]
    if old then sum = sum + old.x end
    ring[k] = made
  end
  return sum
end

local function floats(count, length)
  local ring, sum = {}, 0
  for i = 1, 16 do ring[i] = false end
  for i = 0, count - 1 do
    local array = ffi.new('double[?]', length)
    for k = 0, length - 1 do array[k] = i + k end
    local at = band(i, 15) + 1
    local old = ring[at]
    if old then
      for k = 0, length - 1, 8 do sum = sum + old[k] end
    end
    ring[at] = array
  end
  return sum
end

local function strings(count)
  local ring, sum, char = {}, 0, string.char
  for i = 1, 4096 do ring[i] = false end
  for i = 0, count - 1 do
    local text = ''
    for k = 0, 9 do text = text .. char(97 + band(i + k, 15)) .. 'bcdefg,' end
    local at = band(i, 4095) + 1
    local old = ring[at]
    if old then sum = sum + #old + old:byte(9) end
    ring[at] = text
  end
  return sum
end

local function sizes(live_mb, operations)
  local count = math.floor(live_mb * 1000000 / 860)
  local tbl = {}
  for i = 1, count do tbl[i] = false end
  for i = 0, count + operations - 1 do
    local k = i < count and i or next_random() % count
    local r = next_random()
    local least = 32 * 2 ^ (r % 7)
    tbl[k + 1] = ffi.new('uint8_t[?]', least + rshift(r, 8) % least - 16)
  end
  return count
end

local workloads = {trees = trees, churn = churn, small = small, floats = floats, strings = strings,
                   sizes = sizes}
local cpu, start = os.clock(), now_us()
local result = workloads[arg[1]](tonumber(arg[2]), tonumber(arg[3]))
cpu, start = os.clock() - cpu, now_us() - start
local rss = 0
for line in io.lines '/proc/self/status' do
  local kb = line:match 'VmHWM:%s+(%d+)'
  if kb then rss = tonumber(kb) * 1.024 / 1000 end
end
local line = string.format('cpu_ms=%.0f wall_ms=%.0f rss_mb=%.1f result=%.0f', cpu * 1e3, start / 1e3,
                           rss, result)
if latency_count > 0 then
  local sorted = {}
  for i = 0, latency_count - 1 do sorted[i + 1] = latencies[i] end
  table.sort(sorted)
  line = line .. string.format(' latency_p50_us=%.1f latency_p99_us=%.1f latency_max_us=%.1f',
                               sorted[math.floor(latency_count / 2)],
                               sorted[math.floor(latency_count * 0.99)], sorted[latency_count])
end
print(line)
