// The same as support/asgi.py, on the server of Node.js. The port is the argument.
const http = require("http");
let open = 0;

async function answer(request, response) {
  let body = "";
  for await (const piece of request) body += piece;
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  if (request.url === "/endless") {
    open += 1;
    const timer = setInterval(() => response.write("data: more\n\n"), 1);
    response.on("close", () => { clearInterval(timer); open -= 1; });
  } else if (request.url === "/open") {
    response.end(`data: ${open}\n\n`);
  } else {
    for (const data of [body, "one", "two"]) {
      response.write(`data: ${data}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    response.end();
  }
}

http.createServer(answer).listen(Number(process.argv[2]), "127.0.0.1");
