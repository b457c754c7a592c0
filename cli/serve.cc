// ordain serve: the daemon that decides for programs in other processes.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "ordain/ordain.h"
#include "ordain/terminal_text.h"
#include "ordain/watch.h"
#include "server/http_server.h"
#include "server/service.h"
#include "server/webhook.h"

namespace ordain::cli {
namespace {

using server::Listener;

struct Options {
  std::vector<std::string> policies, listen, hosts, trust;
  std::string database, socket, token, approvers, mapping, key, digest_key, checkpoints;
  std::string webhook, webhook_secret;
  std::string webhook_format = "json";
  std::string engine = "jit";
  std::string fallback;  // --default
  uint64_t budget = Budget().cost;
  uint64_t open_calls = server::OpenCallOptions().most;
  uint64_t client_calls = server::OpenCallOptions().most_of_client;
  uint64_t open_bytes = server::OpenCallOptions().most_bytes;
  uint64_t outcome_wait = 3600;
  uint64_t body_bytes = server::HttpLimits().body_bytes;
  uint32_t header_bytes = server::HttpLimits().header_bytes;
  uint32_t connections = server::HttpLimits().connections;
  uint32_t threads = server::HttpLimits().threads;
  bool no_socket = false;
  bool obligations = false;
  bool check = false;
};

/// With `--engine jit` native code is made in the background, as in a host, so that the service is
/// ready at once; where there is none, the interpreter decides.
Policies load(const Options& options) {
  if (options.engine == "jit") return load_policies(options.policies);
  const Compilation compilation = compile(options.policies, standard_library());
  return {compilation.program, render_for(stderr, compilation.diagnostics)};
}

Result<server::AuthzenMapping> load_mapping(const std::string& path) {
  if (path.empty()) return server::AuthzenMapping();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return Error{"unreadable", "cannot read " + path};
  return server::AuthzenMapping::parse(text.str(), path);
}

Result<std::vector<server::Token>> load_tokens(const Options& options) {
  std::vector<server::Token> out;
  if (!options.token.empty()) {
    auto tokens = server::read_client_tokens(options.token);
    if (!tokens) return tokens.error();
    out = std::move(*tokens);
  }
  if (!options.approvers.empty()) {
    auto tokens = server::read_approver_tokens(options.approvers);
    if (!tokens) return tokens.error();
    for (const server::Token& approver : *tokens) {
      const auto is_same = [&](const server::Token& client) { return client.digest == approver.digest; };
      if (std::none_of(out.begin(), out.end(), is_same)) continue;
      return Error{"bad_token", fmt::format("{}: the token of {} stands in {} too, so its clients could approve",
                                            options.approvers, terminal_text(approver.approver), options.token)};
    }
    out.insert(out.end(), tokens->begin(), tokens->end());
  }
  return out;
}

/// @returns nothing if no webhook is wanted
Result<std::optional<server::WebhookOptions>> load_webhook(const Options& options) {
  std::optional<server::WebhookOptions> out;
  if (options.webhook.empty()) return out;
  auto address = server::parse_web_address(options.webhook);
  if (!address) return address.error();
  out.emplace();
  out->address = std::move(*address);
  out->format = options.webhook_format == "slack" ? server::WebhookFormat::slack : server::WebhookFormat::json;
  out->database = options.database;
  out->note = [](const std::string& text) { complain(text); };
  if (!options.webhook_secret.empty()) {
    auto secret = server::read_webhook_secret(options.webhook_secret);
    if (!secret) return secret.error();
    out->secret = std::move(*secret);
  } else if (out->format == server::WebhookFormat::json) {
    return Error{"bad_secret", "--webhook needs --webhook-secret-file, so that its receiver knows who sent it"};
  }
  return out;
}

/// What is read from files before a socket is opened; `--check` ends here.
struct Loaded {
  std::shared_ptr<const Program> program;
  server::AuthzenMapping mapping;
  std::vector<server::Token> tokens;
  OperatorKeys keys;
  AuditOptions audit;
  std::optional<server::WebhookOptions> webhook;
};

Result<Loaded> load_all(const Options& options) {
  Loaded out;
  const Policies policies = load(options);
  write_error(policies.messages);
  if (!policies) return Error{"bad_policies", "the policies have errors"};
  out.program = *policies;
  auto mapping = load_mapping(options.mapping);
  if (!mapping) return mapping.error();
  out.mapping = std::move(*mapping);
  auto tokens = load_tokens(options);
  if (!tokens) return tokens.error();
  out.tokens = std::move(*tokens);
  auto webhook = load_webhook(options);
  if (!webhook) return webhook.error();
  out.webhook = std::move(*webhook);
  auto keys = operator_keys(options.key, options.trust);
  if (!keys) return keys.error();
  out.keys = std::move(*keys);
  out.audit.key = out.keys.sign;
  out.audit.checkpoint_file = options.checkpoints;
  if (!options.digest_key.empty()) {
    auto key = DigestKey::load(options.digest_key);
    if (!key) return key.error();
    out.audit.digest_key = std::move(*key);
  }
  return out;
}

Result<std::vector<Listener>> open_listeners(const Options& options) {
  auto out = server::inherit_listeners();
  if (!out) return out.error();
  const bool inherited = !out->empty();
  if (!options.no_socket && (!inherited || !options.socket.empty())) {
    const std::string path = options.socket.empty() ? server::default_socket_path(options.database) : options.socket;
    auto one = Listener::open_unix(path);
    if (!one) return one.error();
    out->push_back(std::move(*one));
  }
  for (const std::string& address : options.listen) {
    auto one = Listener::open_loopback(address);
    if (!one) return one.error();
    out->push_back(std::move(*one));
  }
  return out;
}

/// The values that the Host header may have: how the sockets are reached, and `--host`.
std::vector<std::string> host_names(const Options& options, const std::vector<Listener>& listeners) {
  std::vector<std::string> out = server::host_headers(listeners);
  out.insert(out.end(), options.hosts.begin(), options.hosts.end());
  return out;
}

bool has_tcp(const std::vector<Listener>& listeners) {
  return std::any_of(listeners.begin(), listeners.end(),
                     [](const Listener& one) { return one.channel() == server::Channel::tcp; });
}

std::unique_ptr<PolicyWatcher> watch_policies(const Options& options, const Runtime& runtime) {
  auto on_change = [runtime](const PolicyChange& change) {
    write_error(change.messages);
    if (change.program != nullptr) (void)runtime.reload(change.program);
    complain(change.program != nullptr ? fmt::format("reloaded; {} rules", change.program->rules().size())
                                       : "not reloaded: the policies before the change stay in force");
  };
  WatchOptions watching;
  watching.load = [&options](const std::vector<std::string>&) { return load(options); };
  return std::make_unique<PolicyWatcher>(options.policies, runtime.program(), on_change, watching);
}

/// Serves until a signal. @returns the exit code
int serve(const Options& options, Loaded loaded, std::vector<Listener> listeners) {
  auto metrics = std::make_shared<Metrics>();
  RuntimeOptions opening;
  opening.database = options.database;
  opening.operator_keys = loaded.keys;
  opening.telemetry = metrics;
  opening.audit = loaded.audit;
  opening.audit.on_lost = [](const std::vector<std::string>& actions, const Error& error) {
    complain(fmt::format("{} records were lost: {}", actions.size(), error.message));
  };
  opening.decide = decide_options(options.engine, options.fallback, options.budget);
  auto runtime = Runtime::open(loaded.program, opening);
  if (!runtime) return fail(runtime.error());

  server::ServiceOptions serving;
  serving.access = {std::move(loaded.tokens), host_names(options, listeners)};
  serving.database = options.database;
  serving.decide = opening.decide;
  serving.calls = {options.open_calls, options.client_calls, options.open_bytes,
                   std::chrono::seconds(options.outcome_wait)};
  serving.authzen = loaded.mapping;
  serving.clients_redact = options.obligations;
  server::Service service(*runtime, metrics, std::move(serving));
  const auto watcher = watch_policies(options, *runtime);
  std::unique_ptr<server::Webhook> webhook;
  if (loaded.webhook) {
    webhook = std::make_unique<server::Webhook>(std::move(*loaded.webhook));
    if (auto started = webhook->start(); !started) return fail(started.error());
  }
  std::vector<std::string> places;
  for (const Listener& listener : listeners) places.push_back(listener.describe());
  server::HttpLimits limits;
  limits.header_bytes = options.header_bytes;
  limits.body_bytes = options.body_bytes;
  limits.connections = server::connections_that_fit(options.connections);
  if (limits.connections < options.connections) {
    complain(
        fmt::format("at most {} connections may be open at once, because the system limits the open files of this "
                    "process (`ulimit -n`)",
                    limits.connections));
  }
  limits.threads = options.threads;
  const auto served = server::serve_http(
      std::move(listeners), limits, [&](const server::HttpRequest& request) { return service.handle(request); },
      [&] {
        for (const std::string& place : places) complain("listening on " + place);
      });
  webhook.reset();
  const Result<void> stopped = service.stop();
  if (!served) return fail(served.error());
  if (!stopped) return fail(stopped.error());
  return kOk;
}

/// The directory must exist before a socket can lie in it.
Result<void> make_database_directory(const std::string& path) {
  std::error_code failed;
  if (std::filesystem::create_directories(path, failed)) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  }
  if (failed) return Error{"database_error", fmt::format("{}: {}", path, failed.message())};
  return {};
}

int run(const Options& options) {
  auto loaded = load_all(options);
  if (!loaded) return fail(loaded.error());
  if (!options.listen.empty() && loaded->tokens.empty()) {
    complain("--listen needs --token or --approvers: any user of this machine can reach the address");
    return kUsage;
  }
  if (options.check) {
    print_out("{} rules; the options and the files that they name are right\n", loaded->program->rules().size());
    return kOk;
  }
  ::signal(SIGPIPE, SIG_IGN);
  if (auto made = make_database_directory(options.database); !made) return fail(made.error());
  auto listeners = open_listeners(options);
  if (!listeners) return fail(listeners.error());
  if (listeners->empty()) {
    complain("there is nothing to listen on: --no-socket needs --listen or inherited sockets");
    return kUsage;
  }
  if (has_tcp(*listeners) && loaded->tokens.empty()) {
    complain("a TCP socket was inherited, which needs --token or --approvers");
    return kUsage;
  }
  return serve(options, std::move(*loaded), std::move(*listeners));
}

void add_limits(Command command, Options& options) {
  command.add_option("--open-calls", options.open_calls, "how many calls may wait for their outcome at once")
      .in_range(1, 32768)
      .show_default();
  command.add_option("--client-calls", options.client_calls, "how many of these one agent in one session may have")
      .in_range(1, 32768)
      .show_default();
  command.add_option("--open-bytes", options.open_bytes, "bytes that the requests of the open calls may have together")
      .in_range(1 << 20, 1 << 30)
      .show_default();
  command
      .add_option("--outcome-wait", options.outcome_wait,
                  "seconds until a call without an outcome is recorded as failed")
      .in_range(1, 1'000'000)
      .show_default();
  command.add_option("--max-body", options.body_bytes, "bytes that a request's body may have")
      .in_range(1, 1 << 30)
      .show_default();
  command.add_option("--max-header", options.header_bytes, "bytes that a request's header may have")
      .in_range(256, 1 << 20)
      .show_default();
  command.add_option("--max-connections", options.connections, "connections that may be open at once")
      .in_range(1, 65536)
      .show_default();
  command.add_option("--threads", options.threads, "threads that answer requests").in_range(1, 256).show_default();
}

}  // namespace

void add_serve(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("serve", "Decide and record for programs in other processes, over HTTP");
  add_policies_option(command, options->policies);
  add_database_option(command, options->database, "the database directory: approvals and the audit log");
  command
      .add_option("--socket", options->socket,
                  "the UNIX socket (default: $XDG_RUNTIME_DIR/ordain.sock, else ordain.sock in the database directory)")
      .names_file();
  command.add_flag("--no-socket", options->no_socket, "do not open a UNIX socket");
  command.add_option("--listen", options->listen,
                     "listen on this loopback address too: 127.0.0.1:PORT, [::1]:PORT or PORT; 0 is any free port");
  command.add_option("--host", options->hosts, "accept this value of the Host header too, for a proxy in front");
  command.add_option("--token", options->token, "a file with bearer tokens of clients, one on each line").names_file();
  command.add_option("--approvers", options->approvers, "a file with approvers: on each line a name and a bearer token")
      .names_file();
  command.add_option("--webhook", options->webhook,
                     "an https:// address that hears of each request that waits for approval");
  command.add_option("--webhook-format", options->webhook_format, "what it hears: json, or a message for slack")
      .one_of({"json", "slack"})
      .show_default()
      .needs("--webhook");
  command.add_option("--webhook-secret-file", options->webhook_secret, "a file with the secret that signs what is sent")
      .names_file()
      .needs("--webhook");
  command.add_option("--authzen", options->mapping, "a file that maps AuthZEN requests to events").names_file();
  command.add_flag("--clients-redact", options->obligations,
                   "clients of AuthZEN and OPA's data API carry out redactions, so that such decisions allow");
  command.add_option("--key", options->key, "operator.key: signs the log's checkpoints and the approvers' answers")
      .names_file();
  command.add_option("--trust", options->trust, "a public key, or its file, that approvals are checked with")
      .names_file();
  command.add_option("--digest-key", options->digest_key, "the key for digests of redacted values").names_file();
  command.add_option("--checkpoint", options->checkpoints, "with --key: append each checkpoint to this file too")
      .names_file()
      .needs("--key");
  add_engine_option(command, options->engine, "what decides; with jit, native code takes over once it is made");
  add_default_option(command, options->fallback);
  add_budget_option(command, options->budget);
  add_limits(command, *options);
  command.add_flag("--check", options->check, "read policies, tokens, keys and the mapping, and end");
  command.set_footer(
      "Policies are compiled again when they change. SIGTERM ends the service once all is recorded.\n"
      "docs/server.md has the interfaces and who may use them.\n"
      "Exit codes: 0 ended by a signal, 2 policies, files or usage wrong, or the socket cannot be opened.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
