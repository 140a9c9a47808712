const W = 256, H = 256;

function step(from, to) {
  for (let y = 0; y < H; y++) {
    const up = (y + H - 1) % H * W, mid = y * W, down = (y + 1) % H * W;
    for (let x = 0; x < W; x++) {
      const l = (x + W - 1) % W, r = (x + 1) % W;
      const n = from[up + l] + from[up + x] + from[up + r] + from[mid + l] + from[mid + r] +
        from[down + l] + from[down + x] + from[down + r];
      to[mid + x] = n === 3 || (n === 2 && from[mid + x] === 1) ? 1 : 0;
    }
  }
}

let seed = 42, from = new Uint8Array(W * H), to = new Uint8Array(W * H);
for (let i = 0; i < W * H; i++) {
  seed = (seed * 3877 + 29573) % 139968;
  from[i] = seed < 46656 ? 1 : 0;
}
for (let g = 1; g <= 1200; g++) {
  step(from, to);
  [from, to] = [to, from];
  if (g % 300 === 0) {
    let count = 0;
    for (let i = 0; i < W * H; i++) count += from[i];
    console.log(`${g} ${count}`);
  }
}
