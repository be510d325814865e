import { Agent, request } from "node:http";
import type { Webchat } from "./webchat";

/** Posts messages over 64 parallel connections. */
export async function fillRoom(webchat: Webchat, room: string, count: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const url = `${webchat.url}${room}messages/`;
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const post = (i: number) =>
    new Promise<void>((resolve, reject) => {
      const message = JSON.stringify({
        username: `writer ${i % 7}`,
        body: `number ${i}${"\nand more".repeat(i % 4)}`,
      });
      const sent = request(url, { method: "POST", agent, headers }, (answer) => {
        answer
          .resume()
          .on("end", () =>
            answer.statusCode === 201 ? resolve() : reject(new Error(`${answer.statusCode}`)),
          );
      });
      sent.on("error", reject).end(message);
    });
  let next = 1;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next <= count) await post(next++);
    }),
  );
  agent.destroy();
}
