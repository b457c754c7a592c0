// handlers.cc has the built-in approval handlers, and fakes for tests.
#include "ordain/handlers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/identity/text.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

bool says_yes(std::string answer) {
  std::transform(answer.begin(), answer.end(), answer.begin(), [](unsigned char c) { return std::tolower(c); });
  auto first = answer.find_first_not_of(" \t\r");
  auto last = answer.find_last_not_of(" \t\r");
  if (first == std::string::npos) return false;
  answer = answer.substr(first, last - first + 1);
  return answer == "y" || answer == "yes";
}

/// Formats one line of the description.
std::string field(std::string_view name, std::string_view text) {
  return text.empty() ? "" : fmt::format("  {:<12}{}\n", name, terminal_text(text));
}

/// @returns as whom the person at the keyboard can answer; nothing if the answer would not count
std::optional<ApprovalAnswer> seat_at_keyboard(const Approval& request, const std::string& approver) {
  const auto missing = request.missing();
  const bool asks_principal = std::find(missing.begin(), missing.end(), kPrincipalGroup) != missing.end();
  if (asks_principal && !request.principal.empty() && request.principal != request.agent) {
    return ApprovalAnswer{Verdict::reject, request.principal, "", std::string(kPrincipalGroup)};
  }
  if (!request.groups().empty()) return std::nullopt;
  return ApprovalAnswer{Verdict::reject, approver, "", ""};
}

}  // namespace

ApprovalHandler queue_handler() {
  return [](const Approval&) { return ApprovalAnswer{}; };
}

ApprovalHandler auto_handler(bool approve, std::string approver) {
  return [approve, approver = std::move(approver)](const Approval&) {
    return ApprovalAnswer{approve ? Verdict::approve : Verdict::reject, approver, ""};
  };
}

ApprovalHandler callback_handler(std::function<bool(const Approval&)> approve, std::string approver) {
  return [approve = std::move(approve), approver = std::move(approver)](const Approval& request) {
    return ApprovalAnswer{approve(request) ? Verdict::approve : Verdict::reject, approver, ""};
  };
}

ApprovalHandler terminal_handler() { return terminal_handler(std::cin, std::cerr); }

ApprovalHandler terminal_handler(std::istream& in, std::ostream& out, std::string approver) {
  auto asking = std::make_shared<std::mutex>();
  return [&in, &out, asking, approver = std::move(approver)](const Approval& request) {
    std::lock_guard lock(*asking);
    const std::optional<ApprovalAnswer> seat = seat_at_keyboard(request, approver);
    if (!seat) {
      out << describe(request) << field("waits for", request.waits_for()) << std::flush;
      return ApprovalAnswer{};
    }
    out << describe(request) << "Approve? [y/N] " << std::flush;
    ApprovalAnswer answer = *seat;
    std::string line;
    if (!std::getline(in, line)) {
      out << '\n';
      answer.note = "end of input";
    } else if (says_yes(line)) {
      answer.verdict = Verdict::approve;
    }
    return answer;
  };
}

std::string describe(const Approval& request) {
  std::string out = fmt::format("Approval {} ({})\n", terminal_text(request.id), to_string(request.state));
  if (request.altered) out += field("ALTERED", "this is not the request that the id stands for; it cannot be approved");
  if (request.state == ApprovalState::earlier) {
    out += field("EARLIER", "an earlier version made this request; it cannot be approved, so the call must ask again");
  }
  out += field("call", request.capability) + field("input", request.input);
  if (request.resource != "null") out += field("resource", request.resource);
  out += field("agent", request.agent) + field("principal", request.principal) + field("tenant", request.tenant);
  out += field("environment", request.environment) + field("session", request.session);
  out += field("rule", request.rule) + field("reason", request.reason);
  if (request.rules.size() > 1) out += field("all rules", fmt::format("{}", fmt::join(request.rules, ", ")));
  out += field("groups", fmt::format("{}", fmt::join(request.groups(), ", ")));
  for (const AskingRule& rule : request.asking) out += field("needs", rule.rule + ": " + describe(rule));
  for (const ApprovalVote& vote : request.votes) {
    std::string_view said = vote.approve ? "approved by" : "rejected by";
    std::string as = vote.group.empty() ? "" : " for " + vote.group;
    std::string key = !vote.counts             ? " (not signed: does not count)"
                      : vote.signed_by.empty() ? ""
                                               : " (signed by " + vote.signed_by + ")";
    out += field(said, vote.approver + as + key + (vote.note.empty() ? "" : ": " + vote.note));
  }
  return out + field("expires", format_time(request.expires_ns)) + field("binding", to_hex(request.binding));
}

}  // namespace ordain
