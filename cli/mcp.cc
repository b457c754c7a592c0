// ordain mcp: stands between an MCP client and an MCP server, and decides the calls of its tools.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include "agents/mcp/declarations.h"
#include "agents/mcp/pins.h"
#include "agents/mcp/proxy.h"
#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/mcp_listen.h"
#include "cli/mcp_pump.h"
#include "cli/mcp_servers.h"
#include "cli/mcp_tools.h"
#include "cli/policy_options.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/ordain.h"
#include "ordain/watch.h"
#include "server/http_server.h"

namespace ordain::cli {
namespace {

struct McpOptions {
  std::vector<std::string> command;
  std::string policies, database, server = "server";
  std::string agent, principal, tenant, environment, attributes;
  std::string key, trust;
  std::string elicit = "retry";
  uint64_t most = 16 << 20, budget = Budget().cost;
  // over HTTP
  std::vector<std::string> listen, hosts;
  std::string token, servers;
  uint32_t sessions = 32, session_idle = 1800;
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

DecideOptions mcp_decide_options(const McpOptions& options) {
  return decide_options("interpreter", "", options.budget);
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
  out.decide = mcp_decide_options(options);
  return out;
}

mcp::Elicit elicit_mode(const std::string& name) {
  return name == "vote" ? mcp::Elicit::vote : name == "never" ? mcp::Elicit::never : mcp::Elicit::retry;
}

mcp::ProxyOptions proxy_options(const McpOptions& options) {
  return {.server = options.server,
          .pins = options.database,
          .elicit = elicit_mode(options.elicit),
          .decide = mcp_decide_options(options)};
}

/// What clients over HTTP are served with, opened before the policies are read.
struct HttpPlace {
  std::map<std::string, std::vector<std::string>> servers;
  std::vector<server::Listener> listeners;
  server::Access access;
};

Result<HttpPlace> open_http(const McpOptions& options) {
  HttpPlace out;
  if (options.token.empty()) {
    return Error{"usage", "--listen needs --token: any user of this machine can reach the address"};
  }
  if (options.servers.empty()) {
    out.servers.emplace(options.server, options.command);
  } else {
    std::ifstream in(options.servers, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) return Error{"unreadable", "cannot read " + options.servers};
    auto servers = parse_mcp_servers(text, options.servers);
    if (!servers) return servers.error();
    out.servers = std::move(*servers);
  }
  auto tokens = server::read_client_tokens(options.token);
  if (!tokens) return tokens.error();
  for (const std::string& address : options.listen) {
    auto one = server::Listener::open_loopback(address);
    if (!one) return one.error();
    out.listeners.push_back(std::move(*one));
  }
  out.access = {std::move(*tokens), server::host_headers(out.listeners)};
  out.access.hosts.insert(out.access.hosts.end(), options.hosts.begin(), options.hosts.end());
  return out;
}

/// Serves clients over HTTP until a signal.
int serve_clients(const Runtime& runtime, const McpOptions& options, HttpPlace place) {
  ::signal(SIGPIPE, SIG_IGN);
  McpServiceOptions serving;
  serving.servers = place.servers;
  serving.proxy = proxy_options(options);
  serving.most_message = options.most;
  serving.access = std::move(place.access);
  serving.most_sessions = options.sessions;
  serving.idle = std::chrono::seconds(options.session_idle);
  McpService service(runtime, std::move(serving));
  if (auto started = service.start(); !started) return fail(started.error());
  std::vector<std::string> places;
  for (const server::Listener& listener : place.listeners) {
    for (const auto& [name, command] : place.servers) places.push_back(listener.describe() + "/mcp/" + name);
  }
  server::HttpLimits limits;
  limits.body_bytes = options.most;
  // A client holds one open to listen, and one for each request in progress.
  limits.connections = server::connections_that_fit(std::max(limits.connections, 4 * options.sessions));
  const auto served = server::serve_http(
      std::move(place.listeners), limits, [&](const server::HttpRequest& request) { return service.handle(request); },
      [&] {
        for (const std::string& each : places) complain("listening on " + each);
      });
  return served ? kOk : fail(served.error());
}

int run_proxy(const McpOptions& options) {
  if (options.policies.empty() || options.database.empty() || options.command.empty() == options.servers.empty()) {
    complain("ordain mcp needs --policies, --db, and after `--` the command that runs the server, or --servers");
    return kUsage;
  }
  if (const int code = check_server_name(options); code != kOk) return code;
  std::optional<HttpPlace> place;
  if (!options.listen.empty()) {
    auto opened = open_http(options);
    if (!opened) return fail(opened.error());
    place.emplace(std::move(*opened));
  }
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
  if (place) return serve_clients(*runtime, options, std::move(*place));
  Result<ChildProcess> server = ChildProcess::start(options.command);
  if (!server) return fail(server.error());
  mcp::Proxy proxy(*runtime, proxy_options(options));
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
  add_budget_option(command, options->budget);
  command.add_option("--max-message", options->most, "the most bytes of a message")
      .in_range(1024, 1 << 30)
      .show_default();
  command
      .add_option("--listen", options->listen,
                  "serve clients over HTTP on this loopback address, a server for each: 127.0.0.1:PORT, [::1]:PORT or "
                  "PORT; 0 is any free one")
      .takes_one_each();
  command
      .add_option("--servers", options->servers,
                  "with --listen: a JSON file with several servers, as `mcpServers` of clients' configurations")
      .names_file()
      .needs("--listen");
  command.add_option("--token", options->token, "with --listen: a file with bearer tokens of clients, one on each line")
      .names_file()
      .needs("--listen");
  command.add_option("--host", options->hosts, "with --listen: accept this value of the Host header too")
      .takes_one_each()
      .needs("--listen");
  command.add_option("--sessions", options->sessions, "with --listen: how many clients there may be at once")
      .in_range(1, 4096)
      .show_default()
      .needs("--listen");
  command.add_option("--session-idle", options->session_idle, "with --listen: seconds until an unused session ends")
      .in_range(1, 1'000'000)
      .show_default()
      .needs("--listen");
  command.add_option("COMMAND", options->command, "the command that runs the server, after `--`");
  add_init(command, options);
  add_accept(command, options);
  command.set_footer(
      "Example: ordain mcp --policies policies/ --db state/ --server files -- npx my-server\n"
      "Exit codes: 0 the client ended, 1 the server ended first, 2 wrong usage, or something could not be opened.");
  command.set_action([options] { return run_proxy(*options); });
}

}  // namespace ordain::cli
