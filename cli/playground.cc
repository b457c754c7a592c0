// ordain playground: one page of a local web service on which policies are tried out.
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/playground_api.h"
#include "cli/terminal.h"
#include "ordain/digest.h"
#include "ordain/identity.h"
#include "server/http_server.h"

namespace ordain::cli {
namespace {

/// Nothing is stored, so nothing is waited for, such as the tests of a slow policy.
void end_at_once(int) { ::_exit(kOk); }

int run_playground(const std::string& address) {
  auto listener = server::Listener::open_loopback(address);
  if (!listener) return fail(listener.error());
  std::vector<server::Listener> listeners;
  listeners.push_back(std::move(*listener));
  const std::string token = Id128::random().hex() + Id128::random().hex();
  server::Access access;
  access.tokens.push_back({"", sha256(token)});
  access.hosts = server::host_headers(listeners);
  const std::string url = listeners.front().describe() + "/#token=" + token;
  server::HttpLimits limits;
  limits.body_bytes = kMostPlaygroundBody;
  limits.connections = 32;
  limits.threads = 4;  // so that the page answers while some of them work on a slow policy
  limits.awaits_signals = false;
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGTERM, end_at_once);
  ::signal(SIGINT, end_at_once);
  const auto served = server::serve_http(
      std::move(listeners), limits,
      [&](const server::HttpRequest& request) { return answer_playground(request, access); },
      [&] {
        print_out("{}\n", url);
        (void)try_flush();
        complain("open this address in a browser; Ctrl-C ends the playground");
      });
  return served ? kOk : fail(served.error());
}

}  // namespace

void add_playground(Command parent) {
  auto address = std::make_shared<std::string>("127.0.0.1:0");
  Command command = parent.add_command("playground", "Try out policies on a page in the browser");
  command
      .add_option("--listen", *address, "the loopback address: 127.0.0.1:PORT, [::1]:PORT or PORT; 0 is any free one")
      .show_default();
  command.set_footer(
      "The page shows diagnostics while you type, decides events and explains why, and runs tests with their "
      "coverage.\n"
      "It loads nothing from elsewhere, and nothing is stored.\n"
      "Exit codes: 0 ended by a signal, 2 the address cannot be used.");
  command.set_action([address] { return run_playground(*address); });
}

}  // namespace ordain::cli
