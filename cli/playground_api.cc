#include "cli/playground_api.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/coverage_report.h"
#include "cli/explanation.h"
#include "cli/playground_page.h"
#include "cli/test_report.h"
#include "ordain/compile.h"
#include "ordain/coverage.h"
#include "ordain/decision_json.h"
#include "ordain/json.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "server/json_object.h"
#include "server/page.h"

namespace ordain::cli {
namespace {

using server::HttpRequest;
using server::HttpResponse;
using server::JsonObject;

using Clock = std::chrono::steady_clock;

constexpr size_t kMostDecisionsForChanges = 300;  // while an answer is waited for
constexpr std::chrono::seconds kMostTimeForChanges{1};
constexpr std::chrono::seconds kMostTime{10};  // for all events, and for all tests

/// Until when events are decided or tests run. Policies may spend seconds on one decision.
class Deadline {
 public:
  Result<void> check() const {
    if (Clock::now() < end_) return {};
    return Error{"too_slow", "this takes longer than ten seconds; use `ordain explain` or `ordain test`"};
  }

 private:
  const Clock::time_point end_ = Clock::now() + kMostTime;
};

/// Writes the objects that stand on lines as one array.
std::string array_of_lines(std::string_view lines) {
  std::string out = "[";
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    if (out.size() > 1) out += ", ";
    out += line;
  }
  return out + "]";
}

std::string page_text() {
  std::string out;
  for (const std::string_view piece : playground_html()) out += piece;
  return out;
}

DecideOptions how_to_decide() {
  DecideOptions out;
  out.interpret_only = true;
  return out;
}

/// The decision of one event with what each rule came to, as one object.
std::string decide_line(const Compilation& compilation, const std::string& line, uint64_t number, TimeParts now) {
  const DecideOptions how = how_to_decide();
  const Clock::time_point begun = Clock::now();
  detail::Explainer explainer(compilation, how, {.now = now});
  if (auto read = explainer.read(line); !read) return error_json(read.error(), number);
  const auto outcomes = explainer.outcomes();
  const Decision decision = explainer.decision();
  // What was done until here took at least as long as a decision.
  const auto spent = std::max(Clock::duration(1), Clock::now() - begun);
  const size_t affordable = static_cast<size_t>(kMostTimeForChanges / spent);
  std::vector<DecisionChange> changes;
  if (auto found =
          find_changes(compilation.program, line,
                       {.decide = how, .now = now, .decisions = std::min(kMostDecisionsForChanges, affordable)})) {
    changes = std::move(*found);
  }
  const std::vector<std::string> no_state;
  return explanation_json(*compilation.program, {number, explainer.reader(), decision, outcomes, changes, no_state});
}

/// @returns error "too_many_events" or "too_slow"; then nothing is decided
Result<std::string> decide_all_lines(const Compilation& compilation, std::string_view events) {
  const TimeParts now = timestamp_of_nanos(system_time_ns());
  const Deadline deadline;
  std::string out = "[";
  size_t count = 0;
  for (uint64_t number = 1; !events.empty(); ++number) {
    const size_t end = std::min(events.find('\n'), events.size());
    const std::string line(events.substr(0, end));
    events.remove_prefix(std::min(end + 1, events.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (++count > kMostEvents) return Error{"too_many_events", "at most 50 events are decided at a time"};
    if (auto in_time = deadline.check(); !in_time) return in_time.error();
    if (out.size() > 1) out += ", ";
    out += decide_line(compilation, line, number, now);
  }
  return out + "]";
}

/// Adds what the tests came to, and what they cover. @returns error "too_slow"
Result<void> add_tests(const Compilation& compilation, JsonObject& out) {
  const Deadline deadline;
  std::string tests = "[";
  std::vector<const PolicyTest*> all;
  for (const PolicyTest& test : compilation.tests) {
    if (auto in_time = deadline.check(); !in_time) return in_time.error();
    all.push_back(&test);
    for (const TestReport& report : run_tests(compilation, {&test}, how_to_decide())) {
      if (tests.size() > 1) tests += ", ";
      tests += test_json(compilation, report);
    }
  }
  // {"coverage": {...}} and a line feed: the members are what is wanted.
  const std::string coverage = coverage_json(compilation, measure_coverage(compilation, all, how_to_decide()));
  constexpr std::string_view kBegin = "{\"coverage\": ";
  const size_t end = coverage.rfind('}');
  out.raw("tests", tests + "]").raw("coverage", std::string_view(coverage).substr(kBegin.size(), end - kBegin.size()));
  return {};
}

HttpResponse refuse_question(const Error& error) {
  return server::error_response(error.code == "too_slow" ? 503 : 413, error.code, error.message);
}

HttpResponse answer_question(const HttpRequest& request) {
  Arena arena;
  const Result<Value> body = parse_json(arena, request.body);
  if (!body) return server::error_response(400, body.error().code, body.error().message);
  const auto policy = server::text_member(*body, "policy");
  const auto events = server::text_member(*body, "events").value_or("");
  if (!policy) return server::error_response(400, "bad_request", "`policy` must be a string");
  if (policy->size() > kMostPolicyBytes || events.size() > kMostEventBytes) {
    return server::error_response(413, "too_long", "a policy may have 256 KiB, and events 64 KiB");
  }
  std::vector<std::shared_ptr<const Source>> sources = {
      std::make_shared<Source>(Source{"playground.policy", std::string(*policy)})};
  const Compilation compilation = compile(std::move(sources), standard_library(), {.parts = true});
  JsonObject out;
  out.raw("diagnostics", array_of_lines(render_json(compilation.diagnostics)));
  const bool decides = request.path() == "/v1/decide";
  if (compilation.program == nullptr) {
    if (decides) out.raw("decisions", "[]");
    return {.body = out.close(), .headers = {}};
  }
  if (decides) {
    const Result<std::string> decided = decide_all_lines(compilation, events);
    if (!decided) return refuse_question(decided.error());
    out.raw("decisions", *decided);
  } else if (request.path() == "/v1/test") {
    if (auto added = add_tests(compilation, out); !added) return refuse_question(added.error());
  }
  return {.body = out.close(), .headers = {}};
}

HttpResponse route(const HttpRequest& request, const server::Access& access) {
  if (auto refused = server::refuse_foreign(request, access)) return *refused;
  const std::string_view path = request.path();
  const bool is_page = path == "/", is_question = path == "/v1/check" || path == "/v1/decide" || path == "/v1/test";
  if (!is_page && !is_question) return server::error_response(404, "unknown_path", "nothing is served under this path");
  const std::string_view method = is_page ? "GET" : "POST";
  if (request.method != method) {
    HttpResponse out = server::error_response(405, "bad_method", "this path takes " + std::string(method));
    out.headers.emplace_back("Allow", method);
    return out;
  }
  if (is_page) return server::own_page(page_text());  // it holds no facts
  if (!server::identify_caller(request, access).known) {
    HttpResponse out = server::error_response(401, "unauthorized", "the token of the printed address is needed");
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
    return out;
  }
  return answer_question(request);
}

}  // namespace

HttpResponse answer_playground(const HttpRequest& request, const server::Access& access) noexcept {
  try {
    return route(request, access);
  } catch (const std::exception&) {
    return {.status = 500, .body = {}, .headers = {}};
  }
}

}  // namespace ordain::cli
