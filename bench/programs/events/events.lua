local floor = math.floor

local function before(a, b)
  return a.time < b.time or (a.time == b.time and a.number < b.number)
end

local heap, count, numbers, now = {}, 0, 0, 0.0

local function schedule(delay, action)
  local event = { time = now + delay, number = numbers, action = action }
  numbers = numbers + 1
  local i = count
  count = count + 1
  while i > 0 do
    local parent = floor((i - 1) / 2)
    if not before(event, heap[parent]) then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = event
end

local function step()
  local top, last = heap[0], heap[count - 1]
  count = count - 1
  heap[count] = nil
  local i = 0
  while 2 * i + 1 < count do
    local child = 2 * i + 1
    if child + 1 < count and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], last) then break end
    heap[i] = heap[child]
    i = child
  end
  if count > 0 then heap[i] = last end
  now = top.time
  top.action()
end

local seed = 42
local function draw()
  seed = (seed * 3877 + 29573) % 139968
  return seed / 139968
end

local free, served, longest, waited = 50, 0, 0, 0.0
local queue, head, tail = {}, 0, 0

local begin
function begin(customer)
  waited = waited + (now - customer.arrived)
  schedule(customer.service, function()
    served = served + 1
    if head < tail then
      head = head + 1
      begin(queue[head - 1])
    else
      free = free + 1
    end
  end)
end

local arrive
function arrive()
  local customer = { arrived = now, service = 20 + draw() * 60 }
  if free > 0 then
    free = free - 1
    begin(customer)
  else
    queue[tail] = customer
    tail = tail + 1
    if tail - head > longest then longest = tail - head end
  end
  schedule(draw() * 2.02, arrive)
end

schedule(0, arrive)
while served < 3000000 do step() end
print(string.format("%d %d %d", served, longest, numbers))
print(string.format("%.6f %.6f", now, waited / served))
