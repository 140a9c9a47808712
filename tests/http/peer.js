// A server for run_peers.py: prints its port. With two arguments, certificate and key, it speaks TLS.
const fs = require("fs");
const answer = (request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    response.setHeader("X-Answer", request.headers["x-asked"] || "no");
    if (request.url === "/chunks") {
      for (let i = 0; i < 1000; i++) response.write(`chunk ${i}\n`);
      response.end();
    } else if (request.url === "/redirect") {
      response.writeHead(302, { Location: "echo?moved" });
      response.end();
    } else {
      response.end(`${request.method} ${request.url} ${body}`);
    }
  });
};
const [, , certificate, key] = process.argv;
const server = certificate
  ? require("https").createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, answer)
  : require("http").createServer(answer);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
