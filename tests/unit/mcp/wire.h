// wire.h has a proxy over policies in memory, and the messages that its tests send.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agents/mcp/proxy.h"
#include "tests/unit/runtime/support.h"

namespace ordain::mcp::testing {

using Lines = std::vector<std::string>;

/// Rules about the tools of a server `fs`.
inline constexpr const char* kRules = R"(
package fs;
capability mcp.fs.read {
  input { path: string, note: optional(string) }
  output open {
    content: optional(list(dyn)), structuredContent: optional(open { iban: optional(string) }), isError: optional(bool)
  }
}
capability mcp.fs.pay { input { amount: int } }
capability mcp.fs.wipe { input { } }
capability mcp.fs.resources.read { input open { uri: string } output open { contents: optional(list(dyn)) } }
capability mcp.fs.prompts.get { input open { name: string } }
policy reads on before mcp.fs.read {
  deny secret      when input.path == "/secret" because "nobody reads this";
  redact note input.note when has(input.note) with "-";
  allow rest;
}
policy pays on before mcp.fs.pay {
  require_approval big  when input.amount > 10 because "a large sum";
  allow small           when input.amount <= 10;
}
policy wipes on before mcp.fs.wipe { deny all; }
policy files on before mcp.fs.resources.read { allow file when input.uri.startsWith("file:"); }
policy prompts on before mcp.fs.prompts.get { allow hello when input.name == "hello"; }
policy outputs on after mcp.fs.read, mcp.fs.resources.read {
  deny key when texts(output).exists(t, t.contains("AKIA")) because "a key in the output";
}
policy ibans on after mcp.fs.read { redact iban output.structuredContent.iban with "***"; }
)";

inline const std::string kRead = R"({"name": "read", "description": "Reads.", "inputSchema": {"type": "object"}})";
inline const std::string kPay = R"({"name":"pay"})";
inline const std::string kWipe = R"({"name":"wipe"})";
inline const std::string kOther = R"({"name":"other"})";

inline std::string list_answer(const std::string& id, const std::string& tools) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"tools": [)" + tools + R"(], "x":1}})";
}

inline std::string call(const std::string& id, const std::string& tool, const std::string& arguments,
                        const std::string& more = "") {
  return R"({"jsonrpc":"2.0", "id":)" + id + R"(, "method":"tools/call", "params":{"name":")" + tool +
         R"(", "arguments":)" + arguments + more + "}}";
}

inline std::string answer(const std::string& id, const std::string& result) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(, "result":)" + result + "}";
}

struct Wire {
  explicit Wire(ProxyOptions given = {}, std::string database = "", const std::string& rules = kRules)
      : runtime(open(std::move(database), rules)), proxy(runtime, named(std::move(given))) {}

  static Runtime open(std::string database, const std::string& rules) {
    RuntimeOptions options;
    options.agent = "agent";
    options.principal = "pat";
    options.database = std::move(database);
    options.approvals = client_answer_handler();
    auto runtime = Runtime::open(ordain::testing::compile_text(rules), options);
    if (!runtime.ok()) {
      ADD_FAILURE() << runtime.error().message;
      std::abort();
    }
    return *runtime;
  }
  static ProxyOptions named(ProxyOptions options) {
    options.server = "fs";
    return options;
  }

  /// The client lists the tools. @returns what it gets
  std::string list(const std::string& tools = kRead + "," + kPay + "," + kWipe + "," + kOther) {
    EXPECT_EQ(proxy.from_client(R"({"jsonrpc":"2.0","id":"list","method":"tools/list"})").to_server.size(), 1u);
    const Messages out = proxy.from_server(list_answer("\"list\"", tools));
    EXPECT_EQ(out.to_client.size(), 1u);
    return out.to_client.empty() ? "" : out.to_client[0];
  }
  /// What the client gets for a message that must not reach the server.
  std::string refused(const std::string& line) {
    const Messages out = proxy.from_client(line);
    EXPECT_EQ(out.to_server, Lines()) << line;
    EXPECT_EQ(out.to_client.size(), 1u) << line;
    return out.to_client.empty() ? "" : out.to_client[0];
  }
  /// What the server gets for a message that the client gets no answer to.
  std::string passed(const std::string& line) {
    const Messages out = proxy.from_client(line);
    EXPECT_EQ(out.to_client, Lines()) << line;
    EXPECT_EQ(out.to_server.size(), 1u) << line;
    return out.to_server.empty() ? "" : out.to_server[0];
  }
  /// What the client gets for a message of the server.
  std::string returned(const std::string& line) {
    const Messages out = proxy.from_server(line);
    EXPECT_EQ(out.to_server, Lines()) << line;
    EXPECT_EQ(out.to_client.size(), 1u) << line;
    return out.to_client.empty() ? "" : out.to_client[0];
  }

  Runtime runtime;
  Proxy proxy;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace ordain::mcp::testing
