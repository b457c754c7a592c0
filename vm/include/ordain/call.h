// Context and Call hold the facts of a decision in slots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

/// The values of one bank. Engines read these arrays directly.
struct SlotValues {
  std::vector<Value> values;      ///< by Slot::index; absent where not set
  std::vector<SymbolId> symbols;  ///< of string slots that rules compare; 0: no literal of the program
  std::vector<uint64_t> bits;     ///< membership bits of string lists
  SymbolId empty_symbol = 0;      ///< of "": what a compared built-in string has when it is absent
};

/// Why facts do not fit their declarations. Such a call is denied with code invalid_input.
struct BindError {
  bool failed = false;
  std::string path;      ///< the first misfit: "input.lines[2].amount"; "" if the host rejected the call
  std::string expected;  ///< the declared type, "double"; "" if types are not the problem
  std::string got;       ///< what was given: "string", "double with a fraction"; "" likewise
  std::string message;   ///< the whole message for people: "input.amount: expected double, got string"
};

/// The host's facts about who acts: agent, principal, tenant, environment, session and other context. Made once
/// for many calls; must be made again when the program changes. Not thread-safe while it is being filled; read-only
/// after.
class ORDAIN_API Context {
 public:
  explicit Context(std::shared_ptr<const Program> program);

  /// Sets an attribute, `set("agent.roles", ...)`. The value is copied. Absent takes the attribute away, as does null
  /// if it is optional.
  /// @returns false if no declaration knows the path (nothing is set), or with `error()` set if the value does not fit.
  bool set(std::string_view path, const Value& value);
  /// Sets every attribute of a root record ("agent") from a map, or its `id` from a string.
  /// Undeclared attributes are skipped, and their paths are appended to `*unknown` if it is given.
  bool set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown = nullptr);

  const BindError& error() const& { return error_; }
  BindError error() const&& { return error_; }
  const Program& program() const& { return *program_; }
  const Program& program() const&& = delete;
  const std::shared_ptr<const Program>& shared_program() const& { return program_; }
  std::shared_ptr<const Program> shared_program() const&& { return program_; }
  const SlotValues& slots() const& { return slots_; }
  const SlotValues& slots() const&& = delete;

 private:
  std::shared_ptr<const Program> program_;
  Arena arena_;
  SlotValues slots_;
  BindError error_;
};

/// The facts of one call. Reuse one Call per thread: `begin` clears it without freeing its memory.
/// Not thread-safe. Values passed as views (`set`) must live until the decision is no longer used.
class ORDAIN_API Call {
 public:
  explicit Call(std::shared_ptr<const Program> program);

  /// Starts a new call: clears slots, errors and the call's arena, and sets the `capability.*`
  /// attributes from the schema. A capability that another program resolved, or none, makes the call
  /// invalid. A call that was never begun is denied.
  void begin(const CapabilityRef& capability, Stage stage);

  /// Sets one slot, resolved before by Program::slot. No allocation, no hashing but for a compared string. The value's
  /// kind must be what the slot's type says; anything else is recorded as invalid input. A slot that no rule reads
  /// (kNone) takes anything. Absent is for optional and built-in slots. A slot that another program resolved makes the
  /// call invalid.
  void set(SlotRef slot, const Value& value);

  /// Makes a slot absent whatever its declaration: a rule that reads its value faults. For facts that are not known.
  void forget(SlotRef slot);

  /// Binds a whole record: `input`, `output`, `metadata`, `resource`, `action`. `value` is a map, as parse_json makes.
  /// Checks it against the declaration (docs/language.md has the table of what fits), fills the slots that rules read,
  /// and records the first misfit, naming field and types. Host roots: undeclared attributes are skipped and named in
  /// `*unknown`; a string stands for a record of its `id`. `metadata` comes from the agent: where fields of it are
  /// declared, others do not fit.
  void bind_input(const Value& value);
  void bind_output(const Value& value);
  /// bind_input of what parse_json makes of `text`, which need not outlive the call of this function. Invalid JSON
  /// makes the call invalid. Fields of open records that no rule reads cost little more than their parsing.
  void bind_json(std::string_view text);
  void bind_root(std::string_view root, const Value& value, std::vector<std::string>* unknown = nullptr);
  void set_now(int64_t seconds, int32_t nanos);
  void set_elapsed(int64_t seconds, int32_t nanos);
  void set_risk(double risk);  ///< NaN, infinity or a negative number makes the call invalid

  /// Makes the call invalid, for example because its JSON is malformed. The call is then denied
  /// with code invalid_input.
  void reject(std::string message);

  const Program& program() const& { return *program_; }
  const Program& program() const&& = delete;
  const std::shared_ptr<const Program>& shared_program() const& { return program_; }
  std::shared_ptr<const Program> shared_program() const&& { return program_; }
  const CapabilityRef& capability() const& { return capability_; }
  CapabilityRef capability() const&& { return capability_; }
  Stage stage() const { return stage_; }
  const BindError& error() const& { return error_; }
  BindError error() const&& { return error_; }
  const SlotValues& slots() const& { return slots_; }
  const SlotValues& slots() const&& = delete;
  Arena& arena() & { return arena_; }  ///< for values that live as long as this call

 private:
  void set_capability_attributes();
  bool owns(SlotRef slot);
  void set_own(SlotId slot, const Value& value);
  void set_action(std::string_view path, SlotId slot, const Value& value);
  void fail(std::string_view path, std::string_view what);

  std::shared_ptr<const Program> program_;
  CapabilityRef capability_;
  Stage stage_ = Stage::before;
  Arena arena_;
  SlotValues slots_;
  std::vector<SlotId> dirty_;  ///< slots to clear
  SlotId now_ = kNone, elapsed_ = kNone, risk_ = kNone, action_whole_ = kNone;
  const RecordBinding* capability_record_ = nullptr;  ///< nullptr: no rule reads attributes of the capability
  BindError error_;
};

}  // namespace ordain
