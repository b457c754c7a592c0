#include "agents/hook/run_hook.h"

#include "agents/hook/decide_call.h"
#include "agents/hook/hook_call.h"
#include "ordain/terminal_text.h"

namespace ordain::agents {

Answer run_hook(Client client, std::string_view input, const DaemonAddress& address, const std::string& kept,
                Deadline deadline) {
  if (input.size() > kMostInputBytes) return refuse("denied, because the hook's input is longer than 16 MiB");
  Arena arena(1 << 16);
  const Result<HookCall> call = read_hook_call(arena, client, input);
  if (!call) return refuse("denied, because the hook's input cannot be read: " + terminal_text(call.error().message));
  if (call->moment == Moment::other) return {};
  if (call->moment == Moment::unknown) {
    return refuse("denied, because this version does not know the event " + terminal_text(call->event_name) +
                  "; remove its hook from the client's settings");
  }
  if (!call->flaw.empty()) {
    return write_answer(arena, *call,
                        make_denial("Ordain denied this, because the call cannot be read: " + call->flaw));
  }
  return write_answer(arena, *call, decide_call(*call, address, kept, deadline));
}

}  // namespace ordain::agents
