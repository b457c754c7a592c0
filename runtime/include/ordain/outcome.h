// An Outcome is the result of a governed call: its value, or the reason why there is none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ordain/export.h"
#include "ordain/identity.h"
#include "ordain/result.h"

namespace ordain {

/// The call did not execute.
struct Denied {
  std::string rule;    ///< "payments.unknown_payee"; "" if no rule decided
  std::string reason;  ///< for people
  /// One of "rule", "default", "invalid_input", "missing_context", "evaluation_error",
  /// "budget_exceeded"; or from the runtime: "missing_scope", "approval_rejected",
  /// "approval_unavailable", "audit_full", "audit_unavailable", "no_memory", "state_full",
  /// "state_unavailable", "unknown_zone", "frozen", "not_yet".
  std::string code;
  std::string fault;  ///< "division by zero at payments.policy:12:18"; "" without a fault
};

/// The call has not executed yet, because it waits for approval. Call again with the same arguments
/// after the decision.
struct Pending {
  std::string approval_id;
  std::string rule;
  std::string reason;
  std::vector<std::string> groups;  ///< the groups that must approve
  int64_t expires_ns = 0;           ///< since 1970-01-01T00:00:00Z
};

/// The call executed and had its side effect, but its output is withheld. Do not retry it.
struct Withheld {
  std::string rule;
  std::string reason;
  std::string code;  ///< as in Denied; "redacted_type" if the redacted output has the wrong type
  std::string fault;
};

/// The tool failed.
struct Failed {
  std::string code;  ///< the tool's Error code, "exception", or "bad_argument"
  std::string message;
  bool executed = true;  ///< false if the tool was never entered
};

/// The value of a call whose function returns nothing.
using Nothing = std::monostate;

namespace detail {

/// How a temporary outcome ended, if it ended so. It takes the place of a pointer into the outcome,
/// which would dangle.
template <typename T>
class Ending {
 public:
  explicit Ending(T* from) {
    if (from != nullptr) held_ = std::move(*from);
  }
  explicit operator bool() const { return held_.has_value(); }
  bool operator==(std::nullptr_t) const { return !held_.has_value(); }
  const T* operator->() const { return &**this; }
  const T& operator*() const& {
    stop_if_missing();
    return *held_;
  }
  T operator*() && {
    stop_if_missing();
    return std::move(*held_);
  }

 private:
  void stop_if_missing() const {
    if (!held_) [[unlikely]]
      stop_for_missing_value("an Outcome", "it did not end in this way");
  }
  std::optional<T> held_;
};

}  // namespace detail

/// The result of a governed call. Reading the value of a call that has none prints why, and ends the
/// process: check it first. What a temporary outcome holds is moved out of it.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  using Stored = std::conditional_t<std::is_void_v<T>, Nothing, T>;
  using Variant = std::variant<Stored, Denied, Pending, Withheld, Failed>;

  Outcome(Id128 action, std::vector<std::string> warnings, Variant state, std::string would = {})
      : action_(action), warnings_(std::move(warnings)), would_(std::move(would)), state_(std::move(state)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  Stored& value() & { return checked(*this); }
  const Stored& value() const& { return checked(*this); }
  Stored value() && { return std::move(checked(*this)); }
  Stored& operator*() & { return checked(*this); }
  const Stored& operator*() const& { return checked(*this); }
  Stored operator*() && { return std::move(checked(*this)); }
  Stored* operator->() & { return &checked(*this); }
  const Stored* operator->() const& { return &checked(*this); }
  Stored* operator->() && { return &checked(*this); }  ///< until the end of the expression
  Stored* operator->() && requires(detail::kLendsViews<Stored>) = delete;

  /// Each returns nullptr unless the call ended in that way.
  const Denied* denied() const& { return std::get_if<1>(&state_); }
  const Pending* pending() const& { return std::get_if<2>(&state_); }
  const Withheld* withheld() const& { return std::get_if<3>(&state_); }
  const Failed* failed() const& { return std::get_if<4>(&state_); }
  const Variant& state() const& { return state_; }
  detail::Ending<Denied> denied() && { return detail::Ending<Denied>(std::get_if<1>(&state_)); }
  detail::Ending<Pending> pending() && { return detail::Ending<Pending>(std::get_if<2>(&state_)); }
  detail::Ending<Withheld> withheld() && { return detail::Ending<Withheld>(std::get_if<3>(&state_)); }
  detail::Ending<Failed> failed() && { return detail::Ending<Failed>(std::get_if<4>(&state_)); }
  Variant state() && { return std::move(state_); }

  /// The id of the call in the audit log.
  const Id128& action() const& { return action_; }
  Id128 action() && { return action_; }
  /// The messages of `warn` rules, before and after.
  const std::vector<std::string>& warnings() const& { return warnings_; }
  std::vector<std::string> warnings() && { return std::move(warnings_); }

  /// Under observe, the action that enforce would have taken: "would_deny",
  /// "would_require_approval", "would_withhold", or "".
  const std::string& would() const& { return would_; }
  std::string would() && { return std::move(would_); }

  /// @returns one line for people, safe for a terminal: "denied by payments.unknown_payee: ..."
  std::string describe() const;

 private:
  template <typename Self>
  static auto& checked(Self& self) {
    if (!self.has_value()) [[unlikely]]
      detail::stop_for_missing_value("an Outcome", self.describe().c_str());
    return *std::get_if<0>(&self.state_);
  }
  Id128 action_;
  std::vector<std::string> warnings_;
  std::string would_;
  Variant state_;
};

namespace detail {
ORDAIN_API std::string describe(const Denied& denied);
ORDAIN_API std::string describe(const Pending& pending);
ORDAIN_API std::string describe(const Withheld& withheld);
ORDAIN_API std::string describe(const Failed& failed);
}  // namespace detail

template <typename T>
std::string Outcome<T>::describe() const {
  if (const auto* d = denied()) return detail::describe(*d);
  if (const auto* p = pending()) return detail::describe(*p);
  if (const auto* w = withheld()) return detail::describe(*w);
  if (const auto* f = failed()) return detail::describe(*f);
  return "allowed";
}

}  // namespace ordain
