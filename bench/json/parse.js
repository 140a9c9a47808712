// The same as parse.sk.
const fs = require("fs");
const text = fs.readFileSync(process.argv[2], "utf8");
let best = Infinity;
for (let i = 0; i < Number(process.argv[3]); i++) {
  const start = process.hrtime.bigint();
  const value = JSON.parse(text);
  const took = Number(process.hrtime.bigint() - start);
  if (value === null) throw new Error("the file holds null");
  best = Math.min(best, took);
}
console.log(best);
