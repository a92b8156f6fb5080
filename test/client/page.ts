/** What the browser test runs in a page: it asks a node, then reads an event, a state and an embedding. */
import { connect } from "../../src/client/index.js";

declare global {
  var run: (url: string) => Promise<object>;
}

async function first<T>(from: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of from) return value;
  return undefined;
}

globalThis.run = async (url) => {
  await using client = await connect(url);
  const [events, states, embeddings] = [client.events(), client.states(), client.embeddings()];
  await client.ready();
  const answer = await client.request("node1", "embed", { text: "go" });
  const [event, state, embedding] = await Promise.all([first(events), first(states), first(embeddings)]);
  return { answer, event, state, embedding: { ...embedding, vector: [...embedding!.vector] } };
};
