SIZE = 300
CELLS = SIZE * SIZE


class PriorityQueue:
    def __init__(self, less):
        self.items = []
        self.less = less

    def push(self, x):
        items, less = self.items, self.less
        i = len(items)
        items.append(x)
        while i > 0 and less(items[i], items[(i - 1) // 2]):
            parent = (i - 1) // 2
            items[i], items[parent] = items[parent], items[i]
            i = parent

    def pop(self):
        items, less = self.items, self.less
        top, last, count = items[0], items.pop(), len(items)
        if count == 0:
            return top
        items[0] = last
        i = 0
        while True:
            m, l, r = i, 2 * i + 1, 2 * i + 2
            if l < count and less(items[l], items[m]):
                m = l
            if r < count and less(items[r], items[m]):
                m = r
            if m == i:
                return top
            items[i], items[m] = items[m], items[i]
            i = m


class Entry:
    __slots__ = ("distance", "node")

    def __init__(self, distance, node):
        self.distance = distance
        self.node = node


cost, distance = [0] * CELLS, [0] * CELLS


def relax(queue, to, d):
    new = d + cost[to]
    if new < distance[to]:
        distance[to] = new
        queue.push(Entry(new, to))


def run(source):
    queue = PriorityQueue(lambda a, b: a.distance < b.distance)
    for i in range(CELLS):
        distance[i] = 1000000000
    distance[source] = 0
    queue.push(Entry(0, source))
    while queue.items:
        e = queue.pop()
        d, node = e.distance, e.node
        if d > distance[node]:
            continue
        x, y = node % SIZE, node // SIZE
        if x > 0:
            relax(queue, node - 1, d)
        if x < SIZE - 1:
            relax(queue, node + 1, d)
        if y > 0:
            relax(queue, node - SIZE, d)
        if y < SIZE - 1:
            relax(queue, node + SIZE, d)
    return sum(distance)


seed = 42
for i in range(CELLS):
    seed = (seed * 3877 + 29573) % 139968
    cost[i] = 1 + seed % 100
for k in range(36):
    print(run(k * 7717 % CELLS))
