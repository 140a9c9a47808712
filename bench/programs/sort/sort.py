class Record:
    __slots__ = ("id", "key", "score")

    def __init__(self, id, key, score):
        self.id = id
        self.key = key
        self.score = score


def merge_sort(xs, space, lo, hi, cmp):
    if hi - lo < 2:
        return
    mid = (lo + hi) // 2
    merge_sort(xs, space, lo, mid, cmp)
    merge_sort(xs, space, mid, hi, cmp)
    for i in range(lo, hi):
        space[i] = xs[i]
    i, j = lo, mid
    for k in range(lo, hi):
        if j >= hi or (i < mid and cmp(space[i], space[j]) <= 0):
            xs[k] = space[i]
            i += 1
        else:
            xs[k] = space[j]
            j += 1


def checksum(xs):
    total = 0
    for x in xs:
        total = (total * 31 + x.id) % 1000003
    return total


def by_both(a, b):
    k = a.key % 16 - b.key % 16
    return k if k != 0 else b.id - a.id


n, seed, xs = 400000, 42, []
for i in range(n):
    seed = (seed * 3877 + 29573) % 139968
    key = seed % 50000
    seed = (seed * 3877 + 29573) % 139968
    xs.append(Record(i, key, seed / 139968))
space = xs[:]
orders = [lambda a, b: a.key - b.key,
          lambda a, b: -1 if a.score < b.score else 1 if a.score > b.score else 0, by_both]
for turn in range(6):
    merge_sort(xs, space, 0, n, orders[turn % 3])
    print(turn, checksum(xs))
