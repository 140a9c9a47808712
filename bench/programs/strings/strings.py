seed = 42


def draw(n):
    global seed
    seed = (seed * 3877 + 29573) % 139968
    return seed * n // 139968


names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
length = total = value = found = changed = 0
for turn in range(160):
    out = []
    for i in range(20000):
        name = names[draw(8)]
        out.append(f"{name}={draw(1000)};")
    text = "".join(out)
    length += len(text)
    swapped = text.replace("eta=", "ETA:")
    changed += len(swapped)
    for part in swapped.split(";"):
        equal = part.find("=")
        if equal < 0:
            for c in part.lower():
                value = (value * 31 + ord(c)) % 1000003
            continue
        key = part[:equal].upper()
        if key < "DELTA":
            found += 1
        total += int(part[equal + 1:])
        value = (value * 31 + ord(key[0]) + len(key)) % 1000003
print(length, changed, total, found, value)
