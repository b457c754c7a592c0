// ordain mcp: stands between an MCP client and an MCP server, and decides the calls of its tools.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>

#include "agents/mcp/declarations.h"
#include "agents/mcp/pins.h"
#include "agents/mcp/proxy.h"
#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/mcp_pump.h"
#include "cli/mcp_tools.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/ordain.h"
#include "ordain/watch.h"

namespace ordain::cli {
namespace {

struct McpOptions {
  std::vector<std::string> command;
  std::string policies, database, server = "server";
  std::string agent, principal, tenant, environment, attributes;
  std::string key, trust;
  std::string elicit = "retry";
  uint64_t most = 16 << 20;
  // init
  std::string output;
  uint32_t limit = 30;
  // accept
  std::vector<std::string> tools;
  bool all = false;
};

int check_server_name(const McpOptions& options) {
  if (mcp::is_server_name(options.server)) return kOk;
  complain("--server takes letters, digits, `_` and `-`, at most 64 of them: " + options.server);
  return kUsage;
}

/// The interpreter decides in microseconds; native code would cost each server that a client starts a second of a
/// processor.
Policies load_interpreted(const std::vector<std::string>& paths) {
  const Compilation compilation = compile(paths, standard_library());
  return {compilation.program, render(compilation.diagnostics)};
}

Result<Document> read_attributes(const std::string& file) {
  if (file.empty()) return Document();
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) return Error{"unreadable", "cannot read " + file};
  Result<Document> out = Document::parse(text);
  if (!out) return Error{"bad_json", file + ": " + out.error().message};
  return out;
}

Result<RuntimeOptions> runtime_options(const McpOptions& options) {
  RuntimeOptions out;
  out.agent = options.agent;
  out.principal = options.principal.empty() ? user_name() : options.principal;
  out.tenant = options.tenant;
  out.environment = options.environment;
  out.database = options.database;
  Result<Document> attributes = read_attributes(options.attributes);
  if (!attributes) return attributes.error();
  out.attributes = std::move(*attributes);
  auto keys =
      operator_keys(options.key, options.trust.empty() ? std::vector<std::string>() : std::vector{options.trust});
  if (!keys) return keys.error();
  out.operator_keys = std::move(*keys);
  out.approvals = mcp::client_answer_handler();
  out.decide.interpret_only = true;
  return out;
}

mcp::Elicit elicit_mode(const std::string& name) {
  return name == "vote" ? mcp::Elicit::vote : name == "never" ? mcp::Elicit::never : mcp::Elicit::retry;
}

int run_proxy(const McpOptions& options) {
  if (options.policies.empty() || options.database.empty() || options.command.empty()) {
    complain("ordain mcp needs --policies, --db, and after `--` the command that runs the server");
    return kUsage;
  }
  if (const int code = check_server_name(options); code != kOk) return code;
  const Policies policies = load_interpreted({options.policies});
  write_error(policies.messages);
  if (!policies) return kUsage;
  Result<RuntimeOptions> how = runtime_options(options);
  if (!how) return fail(how.error());
  Result<Runtime> runtime = Runtime::open(*policies, std::move(*how));
  if (!runtime) return fail(runtime.error());
  const Identity who = runtime->identity();
  for (const std::string& path : who.ignored()) complain("no policy declares the attribute " + path);
  const PolicyWatcher watcher({options.policies}, *policies,
                              [&runtime](const PolicyChange& change) {
                                write_error(change.messages);
                                if (change.program != nullptr) (void)runtime->reload(change.program);
                              },
                              {.load = load_interpreted});
  Result<ChildProcess> server = ChildProcess::start(options.command);
  if (!server) return fail(server.error());
  mcp::Proxy proxy(*runtime, {.server = options.server,
                              .pins = options.database,
                              .elicit = elicit_mode(options.elicit),
                              .decide = {.interpret_only = true}});
  return pump_messages(proxy, *server, options.most);
}

int run_init(const McpOptions& options) {
  if (const int code = check_server_name(options); code != kOk) return code;
  Result<ChildProcess> server = ChildProcess::start(options.command);
  if (!server) return fail(server.error());
  const Result<std::vector<Document>> listed = ask_for_tools(*server, std::chrono::seconds(options.limit));
  if (!listed) return fail(listed.error());
  std::vector<Value> tools;
  for (const Document& tool : *listed) tools.push_back(tool.root());
  const Result<mcp::Declarations> declared = mcp::declare_tools(options.server, tools);
  if (!declared) return fail(declared.error());
  for (const std::string& name : declared->skipped) complain("no capability can have the name of the tool " + name);
  if (options.output.empty()) {
    write_out(declared->policy);
    return kOk;
  }
  const Result<void> written = write_file(options.output, declared->policy);
  return written ? kOk : fail(written.error());
}

void print_offer(const mcp::PinTable& table, const std::string& tool, const std::string& definition) {
  const auto accepted = table.accepted.find(tool);
  print_out("{} {}\n", tool, accepted == table.accepted.end() ? "is new" : "changed");
  if (accepted != table.accepted.end()) print_out("  accepted  {}\n", accepted->second);
  print_out("  offered   {}\n", definition);
}

int list_offers(const McpOptions& options) {
  const Result<mcp::PinTable> table = mcp::PinFile(options.database, options.server).read();
  if (!table) return fail(table.error());
  for (const auto& [tool, definition] : table->offered) print_offer(*table, tool, definition);
  if (table->offered.empty()) print_out("nothing waits to be accepted\n");
  return table->offered.empty() ? kOk : kFindings;
}

int run_accept(const McpOptions& options) {
  if (const int code = check_server_name(options); code != kOk) return code;
  if (options.tools.empty() && !options.all) return list_offers(options);
  int code = kOk;
  mcp::PinFile pins(options.database, options.server);
  const Result<void> changed = pins.change([&](mcp::PinTable& table) {
    std::vector<std::string> tools = options.tools;
    if (options.all) {
      tools.clear();
      for (const auto& [tool, definition] : table.offered) tools.push_back(tool);
    }
    for (const std::string& tool : tools) {
      const auto offered = table.offered.find(tool);
      if (offered == table.offered.end()) {
        complain("no definition of the tool " + tool + " waits to be accepted");
        code = kFindings;
        continue;
      }
      print_offer(table, tool, offered->second);
      table.accepted.insert_or_assign(tool, offered->second);
      table.offered.erase(offered);
    }
    return true;
  });
  return changed.ok() ? code : fail(changed.error());
}

void add_server_option(Command command, McpOptions& options) {
  command.add_option("--server", options.server, "the server's name in capabilities: mcp.NAME.TOOL").show_default();
}

void add_init(Command parent, const std::shared_ptr<McpOptions>& options) {
  Command init = parent.add_command("init", "Write declarations of a server's tools as policy text");
  add_server_option(init, *options);
  init.add_option("-o,--output", options->output, "write the text here; standard output if absent").names_file();
  init.add_option("--limit", options->limit, "how many seconds the server may take").in_range(1, 3600).show_default();
  init.add_option("COMMAND", options->command, "the command that runs the server, after `--`").required();
  init.set_footer(
      "Example: ordain mcp init --server files -o policies/files.policy -- npx my-server\n"
      "Exit codes: 0 written, 2 the server does not run or answer, or the text cannot be written.");
  init.set_action([options] { return run_init(*options); });
}

void add_accept(Command parent, const std::shared_ptr<McpOptions>& options) {
  Command accept = parent.add_command("accept", "Show new and changed definitions of tools, and accept them");
  add_database_option(accept, options->database);
  add_server_option(accept, *options);
  accept.add_option("TOOL", options->tools, "accept the tool as it is offered; without, what waits is shown");
  accept.add_flag("--all", options->all, "accept all that waits");
  accept.set_footer(
      "Exit codes: 0 accepted, or nothing waits; 1 something waits, or a tool was not offered; 2 no such database.");
  accept.set_action([options] { return run_accept(*options); });
}

}  // namespace

void add_mcp(Command parent) {
  auto options = std::make_shared<McpOptions>();
  Command command = parent.add_command("mcp", "Govern the tools of an MCP server, from between it and its client");
  command.add_option("--policies", options->policies, "a policy file, or a directory searched for *.policy")
      .names_file();
  command.add_option("--db", options->database, "the database directory: records, approvals, accepted tools")
      .names_directory();
  add_server_option(command, *options);
  command.add_option("--agent", options->agent, "the id of the agent that the client runs");
  command.add_option("--principal", options->principal, "for whom it acts (default: your user name)");
  command.add_option("--tenant", options->tenant, "the id of the tenant");
  command.add_option("--environment", options->environment, "the id of the environment");
  command.add_option("--attributes", options->attributes, "a JSON file with further attributes: {\"agent\": {...}}")
      .names_file();
  command
      .add_option("--elicit", options->elicit,
                  "what the client's user may say about a call that needs approval: vote, retry (decide again, once it "
                  "is approved elsewhere) or never")
      .one_of({"never", "retry", "vote"})
      .show_default();
  command
      .add_option("--key", options->key, "operator.key: signs what the client's user says; needed where there are keys")
      .names_file();
  command.add_option("--trust", options->trust, "a public key, or its file, that must have signed approvals")
      .names_file();
  command.add_option("--max-message", options->most, "the most bytes of a message")
      .in_range(1024, 1 << 30)
      .show_default();
  command.add_option("COMMAND", options->command, "the command that runs the server, after `--`");
  add_init(command, options);
  add_accept(command, options);
  command.set_footer(
      "Example: ordain mcp --policies policies/ --db state/ --server files -- npx my-server\n"
      "Exit codes: 0 the client ended, 1 the server ended first, 2 wrong usage, or something could not be opened.");
  command.set_action([options] { return run_proxy(*options); });
}

}  // namespace ordain::cli
