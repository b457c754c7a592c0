// Context and Call hold the facts of a decision in slots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/program.h"

namespace ordain {

/// The values of one bank. Engines read these arrays directly.
struct SlotValues {
  std::vector<Value> values;      ///< indexed by Slot::index; absent where not set
  std::vector<SymbolId> symbols;  ///< of compared string slots; 0: not a literal of the program
  std::vector<uint64_t> bits;     ///< membership bits of string lists
  SymbolId empty_symbol = 0;      ///< the symbol of "", which an absent built-in string has
};

/// Why facts do not fit their declarations. A call with such an error is denied with code
/// invalid_input.
struct BindError {
  bool failed = false;
  std::string path;      ///< the first misfit: "input.lines[2].amount"; "" if the host rejected the call
  std::string expected;  ///< the declared type, "double"; "" if types are not the problem
  std::string got;       ///< what was given: "string", "double with a fraction"; "" likewise
  std::string message;   ///< the whole message for people: "input.amount: expected double, got string"
};

/// The host's facts about who acts: agent, principal, tenant, environment, session and other
/// context. Make a context once for many calls, and make it again when the program changes. Filling
/// it is not thread-safe; once filled, any number of threads may read it.
class Context {
 public:
  explicit Context(std::shared_ptr<const Program> program);

  /// Sets an attribute, as in `set("agent.roles", ...)`. The value is copied. An absent value
  /// removes the attribute, and so does null if the attribute is optional.
  /// @returns false if no declaration has the path (nothing is set then), or if the value does not
  /// fit (`error()` says why).
  bool set(std::string_view path, const Value& value);
  /// Sets every attribute of a root record ("agent") from a map, or its `id` from a string.
  /// Undeclared attributes are skipped, and their paths are appended to `*unknown` if it is given.
  bool set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown = nullptr);

  const BindError& error() const { return error_; }
  const Program& program() const { return *program_; }
  const std::shared_ptr<const Program>& shared_program() const { return program_; }
  const SlotValues& slots() const { return slots_; }

 private:
  std::shared_ptr<const Program> program_;
  Arena arena_;
  SlotValues slots_;
  BindError error_;
};

/// The facts of one call. Reuse one Call per thread: `begin` clears it without freeing its memory.
/// Not thread-safe. Values passed as views (`set`) must live until the decision is no longer used.
class Call {
 public:
  explicit Call(std::shared_ptr<const Program> program);

  /// Starts a new call: clears slots, errors and the call's arena, and sets the `capability.*`
  /// attributes from the schema.
  void begin(const CapabilityRef& capability, Stage stage);

  /// Sets one slot, which Program::slot has resolved before. It does not allocate, and hashes only
  /// strings that rules compare. The value must be of the kind of the slot's type; any other kind
  /// makes the call invalid. A slot that no rule reads (kNone) accepts any value. Only optional and
  /// built-in slots accept an absent value.
  void set(SlotId slot, const Value& value);

  /// Makes a slot absent whatever its declaration says, because the value is unknown. A rule that
  /// reads the slot faults.
  void forget(SlotId slot);

  /// Binds a whole record: `input`, `output`, `metadata`, `resource` or `action`. `value` is a map,
  /// as parse_json makes it. Checks the map against the declaration (docs/language.md lists what
  /// fits), fills the slots that rules read, and records the first misfit with its field and types.
  /// In the host's records, undeclared attributes are skipped and named in `*unknown`, and a string
  /// stands for a record with that `id`. `metadata` comes from the agent: if any of its fields are
  /// declared, other fields do not fit.
  void bind_input(const Value& value);
  void bind_output(const Value& value);
  /// Parses `text` as parse_json does and binds it as bind_input does. `text` need not outlive this
  /// function. Invalid JSON makes the call invalid. Fields of open records that no rule reads cost
  /// little more than their parsing.
  void bind_json(std::string_view text);
  void bind_root(std::string_view root, const Value& value, std::vector<std::string>* unknown = nullptr);
  void set_now(int64_t seconds, int32_t nanos);
  void set_elapsed(int64_t seconds, int32_t nanos);
  void set_risk(double risk);  ///< NaN, infinity or a negative number makes the call invalid

  /// Makes the call invalid, for example because its JSON is malformed. The call is then denied
  /// with code invalid_input.
  void reject(std::string message);

  const Program& program() const { return *program_; }
  const std::shared_ptr<const Program>& shared_program() const { return program_; }
  const CapabilityRef& capability() const { return capability_; }
  Stage stage() const { return stage_; }
  const BindError& error() const { return error_; }
  const SlotValues& slots() const { return slots_; }
  Arena& arena() { return arena_; }  ///< for values that live as long as this call

 private:
  void set_capability_attributes();
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
