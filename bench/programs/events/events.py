class Event:
    __slots__ = ("time", "number", "action")

    def __init__(self, time, number, action):
        self.time = time
        self.number = number
        self.action = action


def before(a, b):
    return a.time < b.time or (a.time == b.time and a.number < b.number)


heap, numbers, now = [], 0, 0.0


def schedule(delay, action):
    global numbers
    event = Event(now + delay, numbers, action)
    numbers += 1
    i = len(heap)
    heap.append(event)
    while i > 0 and before(event, heap[(i - 1) // 2]):
        heap[i] = heap[(i - 1) // 2]
        i = (i - 1) // 2
    heap[i] = event


def step():
    global now
    top, last = heap[0], heap.pop()
    i, count = 0, len(heap)
    while 2 * i + 1 < count:
        child = 2 * i + 1
        if child + 1 < count and before(heap[child + 1], heap[child]):
            child += 1
        if not before(heap[child], last):
            break
        heap[i] = heap[child]
        i = child
    if count > 0:
        heap[i] = last
    now = top.time
    top.action()


seed = 42


def draw():
    global seed
    seed = (seed * 3877 + 29573) % 139968
    return seed / 139968


free, served, longest, waited, head, queue = 50, 0, 0, 0.0, 0, []


def begin(customer):
    global waited
    waited += now - customer[0]

    def leave():
        global served, head, free
        served += 1
        if head < len(queue):
            head += 1
            begin(queue[head - 1])
        else:
            free += 1

    schedule(customer[1], leave)


def arrive():
    global free, longest
    customer = (now, 20 + draw() * 60)
    if free > 0:
        free -= 1
        begin(customer)
    else:
        queue.append(customer)
        longest = max(longest, len(queue) - head)
    schedule(draw() * 2.02, arrive)


schedule(0, arrive)
while served < 3000000:
    step()
print(served, longest, numbers)
print("%.6f %.6f" % (now, waited / served))
