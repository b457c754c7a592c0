// mcp_fuzz gives a proxy any lines of a client and of a server. No call that a rule denies may reach the server, no
// output with a key may reach the client as the answer to a governed request, and what is sent is always one message.
//
// An input is lines. The first byte says who sends the line: `c` the client, `s` the server; others are skipped. In a
// line of the server, `$` stands for the id of the proxy's latest request to it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "agents/mcp/proxy.h"
#include "ordain/compile.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"

namespace {

using namespace ordain;

constexpr const char* kPolicy = R"(
package p;
capability mcp.f.read { input open { path: string, note: optional(string) } output open { content: optional(list(dyn)), structuredContent: optional(dyn) } }
capability mcp.f.pay { input { } }
policy reads on before mcp.f.read {
  deny secret             when input.path == "/secret";
  redact note input.note  when has(input.note) with "-";
  allow rest;
}
policy pays on before mcp.f.pay { require_approval all; }
policy files on before mcp.f.resources.read, mcp.f.prompts.get { allow; }
policy keys on after * { deny key when texts(output).exists(t, t.contains("AKIA")); }
policy texts_ on after mcp.f.read { redact text output.structuredContent; }
)";

[[noreturn]] void report(const char* what, std::string_view text) {
  std::fprintf(stderr, "mcp_fuzz: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

const Runtime& runtime() {
  static const Runtime out = [] {
    const Compilation compilation =
        compile({std::make_shared<Source>(Source{"fuzz.policy", kPolicy})}, standard_library());
    if (compilation.program == nullptr) report("the policy does not compile", render(compilation.diagnostics));
    RuntimeOptions options;
    options.agent = "agent";
    options.principal = "pat";
    options.approvals = mcp::client_answer_handler();
    auto opened = Runtime::open(compilation.program, options);
    if (!opened) report("no runtime", opened.error().message);
    return *opened;
  }();
  return out;
}

/// The id, alike for all ways to write a number.
std::string id_text(const Value& id) {
  const bool whole = id.is(Kind::floating) && std::trunc(id.d) == id.d && std::fabs(id.d) < 1e15;
  return to_json(whole ? Value::integer(static_cast<int64_t>(id.d)) : id);
}

bool holds_key(const Value& value) { return to_json(value).find("AKIA") != std::string::npos; }

/// The two ends of the proxy, and what they must never see.
class Ends {
 public:
  explicit Ends(mcp::Elicit elicit)
      : proxy_(runtime(), {.server = "f", .elicit = elicit, .most_calls = 4, .most_requests = 32}) {}

  void send(char from, std::string line) {
    if (from == 'c') return see(proxy_.from_client(line), false, line);
    for (size_t at = line.find('$'); at != std::string::npos; at = line.find('$', at + own_id_.size())) {
      line.replace(at, 1, own_id_);
    }
    see(proxy_.from_server(line), true, line);
  }
  void end() {
    see(proxy_.server_ended(), true, "");
    if (proxy_.waiting() != 0) report("requests without an answer", "");
  }

 private:
  void see(const mcp::Messages& messages, bool of_server, const std::string& line) {
    for (const std::string& text : messages.to_server) {
      const Document message = read(text);
      if (message.root().is(Kind::list)) {
        for (const Value& each : message.root().as_list()) see_to_server(each, text);
      } else {
        see_to_server(message.root(), text);
      }
    }
    for (const std::string& text : messages.to_client) {
      const Document message = read(text);
      if (!of_server || text == line) see_to_client(message.root(), text);
    }
  }

  Document read(const std::string& text) {
    if (text.find('\n') != std::string::npos) report("a message of two lines", text);
    auto out = Document::parse(text);
    if (!out) report("what is sent cannot be read", text);
    return *out;
  }

  void see_to_server(const Value& message, const std::string& text) {
    const std::string_view method = mcp::text_member(message, "method");
    const Value* id = mcp::member(message, "id");
    if (method == "tools/list" && id != nullptr && mcp::text_member(message, "id").starts_with("ordain-")) {
      own_id_ = to_json(*id);
    }
    if (method != "tools/call" && method != "resources/read" && method != "prompts/get") {
      if (!method.empty() && id != nullptr) governed_.erase(id_text(*id));
      return;
    }
    if (id == nullptr) report("a call without an id", text);
    governed_.insert(id_text(*id));
    if (method != "tools/call") return;
    const Value* params = mcp::member(message, "params");
    const std::string_view name = params == nullptr ? std::string_view() : mcp::text_member(*params, "name");
    const Value* arguments = params == nullptr ? nullptr : mcp::member(*params, "arguments");
    if (name != "read" && name != "pay") report("a call that nothing allows", text);
    if (name != "read") return;
    if (arguments == nullptr || mcp::text_member(*arguments, "path") == "/secret") report("a denied call", text);
    if (const Value* note = mcp::member(*arguments, "note"); note != nullptr && !note->is(Kind::null)) {
      if (mcp::text_member(*arguments, "note") != "-") report("a note that was to be redacted", text);
    }
  }

  void see_to_client(const Value& message, const std::string& text) {
    const Value* id = mcp::member(message, "id");
    if (id == nullptr || mcp::member(message, "method") != nullptr || governed_.erase(id_text(*id)) == 0) return;
    const Value* result = mcp::member(message, "result");
    if (result != nullptr && holds_key(*result)) report("an output that was to be withheld", text);
  }

  mcp::Proxy proxy_;
  std::string own_id_ = "0";
  std::set<std::string> governed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  Ends ends(static_cast<mcp::Elicit>(static_cast<uint8_t>(input[0]) % 3));
  while (!input.empty()) {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    if (!line.empty() && (line[0] == 'c' || line[0] == 's')) ends.send(line[0], std::string(line.substr(1)));
  }
  ends.end();
  return 0;
}
