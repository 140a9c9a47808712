let seed = 42;
function draw(n) {
  seed = (seed * 3877 + 29573) % 139968;
  return Math.floor(seed * n / 139968);
}

const names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
let length = 0, total = 0, hash = 0, found = 0, changed = 0;
for (let round = 0; round < 160; round++) {
  let text = "";
  for (let i = 0; i < 20000; i++) {
    const name = names[draw(8)];
    text += `${name}=${draw(1000)};`;
  }
  length += text.length;
  const swapped = text.replaceAll("eta=", "ETA:");
  changed += swapped.length;
  for (const part of swapped.split(";")) {
    const equal = part.indexOf("=");
    if (equal < 0) {
      const low = part.toLowerCase();
      for (let i = 0; i < low.length; i++) hash = (hash * 31 + low.charCodeAt(i)) % 1000003;
      continue;
    }
    const key = part.slice(0, equal).toUpperCase();
    if (key < "DELTA") found++;
    total += parseInt(part.slice(equal + 1), 10);
    hash = (hash * 31 + key.charCodeAt(0) + key.length) % 1000003;
  }
}
console.log(`${length} ${changed} ${total} ${found} ${hash}`);
