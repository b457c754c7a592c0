// Fuzzes the daemon's handlers: an input is a request, one line with method and target, a line for
// each header, an empty line and the body. Whatever it says, the answer is one of those that
// docs/server.md has, JSON is JSON, and nothing is told without a token.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "ordain/compile.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "ordain/utf8.h"
#include "server/service.h"

namespace {

using namespace ordain;
using namespace ordain::server;

constexpr const char* kServedPolicy = R"(
capability pay { input { to: string, amount: double, card: optional(string) } output open { message: string } }
context { principal { level: optional(int) } }
policy payments on before pay {
  deny negative           when input.amount <= 0.0;
  require_approval large  when input.amount > 500.0 from "finance";
  redact card input.card  when has(input.card) with "***";
  allow;
}
policy looks on before look { allow high when has(principal.level) && principal.level > 2; }
policy leaks on after pay { deny leak when output.message.contains("AKIA"); }
)";

[[noreturn]] void stop(const std::string& what) {
  fmt::print(stderr, "\n{}\n", what);
  std::fflush(stderr);
  std::abort();
}

std::unique_ptr<Service> make_service() {
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"server.policy", kServedPolicy})}, standard_library());
  if (compilation.program == nullptr) stop(render(compilation.diagnostics));
  auto metrics = std::make_shared<Metrics>();
  RuntimeOptions opening;  // without a database: nothing is written, and approvals stay in memory
  opening.telemetry = metrics;
  auto runtime = Runtime::open(compilation.program, opening);
  if (!runtime) stop(runtime.error().message);
  ServiceOptions options;
  options.access.hosts = {"localhost"};
  options.access.tokens = {{"", sha256("client-token-0123456789")}, {"alice", sha256("approver-token-0123456789")}};
  options.calls.wait = std::chrono::milliseconds(0);  // no call stays open
  return std::make_unique<Service>(*runtime, metrics, options);
}

std::string take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string out(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

HttpRequest read_request(std::string_view text) {
  HttpRequest out;
  const std::string line = take_line(text);
  const size_t space = std::min(line.find(' '), line.size());
  out.method = line.substr(0, space);
  out.target = line.substr(std::min(space + 1, line.size()));
  for (std::string header = take_line(text); !header.empty(); header = take_line(text)) {
    const size_t colon = std::min(header.find(": "), header.size());
    out.headers.emplace_back(header.substr(0, colon), header.substr(std::min(colon + 2, header.size())));
  }
  if (out.count("host") == 0) out.headers.emplace_back("host", "localhost");
  out.body = text;
  return out;
}

void check_answer(const HttpRequest& request, const HttpResponse& answer) {
  constexpr std::array kStatuses = {200u, 400u, 401u, 403u, 404u, 405u, 409u, 421u, 503u};
  const std::string what = fmt::format("{} {}: {} {}", request.method, request.target, answer.status, answer.body);
  if (std::find(kStatuses.begin(), kStatuses.end(), answer.status) == kStatuses.end()) stop("a status: " + what);
  if (!valid_utf8(answer.body)) stop("an answer that is not UTF-8: " + what);
  if (answer.content_type == "application/json" && !Document::parse(answer.body)) stop("not JSON: " + what);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<Service> service = make_service();
  HttpRequest request = read_request({reinterpret_cast<const char*>(data), size});
  check_answer(request, service->handle(request));

  std::erase_if(request.headers, [](const auto& header) { return header.first == "authorization"; });
  const HttpResponse stranger = service->handle(request);
  check_answer(request, stranger);
  const std::string_view path = request.path();
  const bool open = path == "/healthz" || path == "/readyz" || path == "/approvals";
  if (!open && stranger.status != 401 && stranger.status != 400 && stranger.status != 403 && stranger.status != 421) {
    stop(fmt::format("answered without a token: {} {}", request.target, stranger.status));
  }
  return 0;
}
