// UnknownFacts decides a call of which parts are unknown. A rule that reads such a part has a
// known answer only if the rest of its condition decides it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "vm/wire/event.h"

namespace ordain::detail {

/// Decides calls for one program. Not thread-safe.
class UnknownFacts {
 public:
  explicit UnknownFacts(std::shared_ptr<const Program> program);

  struct Answer {
    Decision decision;  ///< meaningful only if `known`
    bool known = true;
    std::string_view rule;  ///< a rule on which the answer depends; "" if it depends on binding
    std::string_view path;  ///< the unknown value: "input.card", "now", or the path of a slot that holds state
  };
  /// @returns the event, with values that fit the declaration in place of those at `paths`, as far as it declares
  /// them. They live in `arena`.
  EventFacts fit(const EventFacts& event, std::span<const std::string_view> paths, Arena& arena) const;
  /// @returns true if a predicate reads, or a slot holds, a value at one of `paths` or something within or around it
  bool depends(uint32_t predicate, std::span<const std::string_view> paths) const;
  bool depends_on_slot(SlotId slot, std::span<const std::string_view> paths) const;

  /// Decides `event`, in which the values at `paths` stand for other values that also fit the
  /// declaration. Binds `binder` with `bind(event)` as often as necessary. The decision lives in
  /// `scratch`.
  template <typename Bind>
  Answer decide(FactBinder& binder, const EventFacts& event, std::span<const std::string_view> paths, Arena& arena,
                Scratch& scratch, const DecideOptions& options, const Bind& bind) {
    bind(event);
    EventFacts patched = event;
    Value input, output;
    if (binder.call().error().failed && event.flaw.empty() && patch(&patched, &input, &output, paths, arena)) {
      bind(patched);
      if (binder.call().error().failed && stands_in(binder, paths)) {
        return {{}, false, "", paths.front()};
      }
    }
    if (binder.call().error().failed || binder.context().error().failed) {
      return {ordain::decide(binder.call(), binder.context(), scratch, options), true, "", ""};
    }
    Answer open = open_rules(binder, paths, scratch, options);
    bind(patched);  // restores the slots that were made absent
    open.decision = ordain::decide(binder.call(), binder.context(), scratch, options);
    open.known = open_.empty() || settled(binder, scratch, options, &open.decision);
    return open;
  }

 private:
  enum class Use : uint8_t { value, presence, optional };
  struct Read {
    SlotId slot = kNone;
    Use use = Use::value;
  };
  struct Reads {
    bool made = false;
    std::vector<Read> condition, rest;  ///< rest: from, expires, with, and because of a warning
  };

  const Reads& reads(uint32_t code);
  void collect(uint32_t predicate, std::vector<Read>* out) const;
  Answer open_rules(FactBinder& binder, std::span<const std::string_view> paths, Scratch& scratch,
                    const DecideOptions& options);
  bool is_open(FactBinder& binder, uint32_t code, std::span<const std::string_view> paths, Scratch& scratch,
               const DecideOptions& options, std::string_view* path);
  bool settled(const FactBinder& binder, Scratch& scratch, const DecideOptions& options, Decision* decision) const;
  bool is_sure(const FactBinder& binder, uint32_t code, Scratch& scratch, const DecideOptions& options) const;
  bool is_open_rule(RuleId rule) const;
  bool patch(Event* event, Value* input, Value* output, std::span<const std::string_view> paths, Arena& arena) const;
  bool stands_in(const FactBinder& binder, std::span<const std::string_view> paths) const;

  std::shared_ptr<const Program> program_;
  std::vector<Reads> reads_;    ///< by rule code
  std::vector<uint32_t> open_;  ///< of the last call: rule codes whose answer depends on unknown parts
  std::vector<SlotId> forgotten_;
};

/// Gives an event that names no time that of a replay. @returns "now" if that is not known either
std::span<const std::string_view> set_time(EventFacts& event, std::optional<int64_t> now_ns);

/// Says why a call cannot be decided: "payments.large reads input.card, which was redacted".
std::string explain_unknown(const Program& program, CapabilityId capability, const UnknownFacts::Answer& answer);

}  // namespace ordain::detail
