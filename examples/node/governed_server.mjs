// Tools of an MCP server as governed calls. What the rules stop becomes a result with `isError`, which the model
// reads word for word, and nothing else: an error of the protocol would reach some clients without its reason.
import { Stopped } from "ordain";

/** A function that registers tools on the server, each a capability of the runtime with the tool's name. */
export function toolsOf(server, runtime) {
  return (name, config, work) => {
    const governed = runtime.capability(name, work);
    server.registerTool(name, config, async (input) => {
      try {
        return { content: [{ type: "text", text: JSON.stringify(await governed(input)) }] };
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
        return { isError: true, content: [{ type: "text", text: error.message }] };
      }
    });
  };
}
