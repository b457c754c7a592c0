// A Schema lists what a Program's rules can refer to: capabilities, the host's context, and a
// slot for every field.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/type.h"

namespace ordain {

using SlotId = uint32_t;
using SymbolId = uint32_t;      ///< a string literal of the program; 0: not a literal of this program
using CapabilityId = uint32_t;  ///< index into Schema::capabilities
inline constexpr uint32_t kNone = UINT32_MAX;

enum class Stage : uint8_t { before = 0, after = 1 };
ORDAIN_API std::string_view to_string(Stage stage);

/// Who supplies a slot, and how long its value stays.
enum class Bank : uint8_t {
  context =
      0,     ///< agent, principal, tenant, environment, session and other host attributes: set once, used by many calls
  call = 1,  ///< input, output, metadata, resource, action, capability, risk, now: set for each call
};

/// A place for one value. A slot is identified by path and type: if two capabilities have
/// `input.amount: double`, that is one slot.
struct Slot {
  std::string path;            ///< "input.amount", "agent.clearance", "output" (the whole record, as a map)
  const Type* type = nullptr;  ///< what it holds when present
  Bank bank = Bank::call;
  uint32_t index = 0;     ///< within its bank
  bool optional = false;  ///< declared optional, or undeclared in an open record: absence is not a fault
  bool host = false;      ///< supplied by the host, not the agent: absence is the fault `missing_context`
  bool builtin = false;   ///< a built-in name: reads as "" or [] when absent
  bool compared = false;  ///< a string that rules compare with literals: setting it looks up its symbol
  // For a list of strings that rules test for literals, each literal has a bit, so that `"x" in
  // slot` is a bit test.
  uint32_t first_bit = 0;                ///< in the bank's bit set; a multiple of 64
  std::vector<SymbolId> member_symbols;  ///< symbol of bit first_bit + i
};

/// A field of a record that a call is bound against.
struct FieldBinding {
  std::string name;
  const Type* type = nullptr;
  bool optional = false;
  SlotId slot = kNone;      ///< where its value goes; kNone if no rule reads it (it is checked anyway)
  uint32_t record = kNone;  ///< for a nested record: index into Schema::records
};

/// A record that calls are bound against: `input` of a capability, `agent`, ...
struct ORDAIN_API RecordBinding {
  std::string name;                  ///< "input", "input.address", "agent"
  bool open = false;                 ///< unknown fields are accepted
  bool dynamic = false;              ///< of an undeclared capability: anything fits
  SlotId whole = kNone;              ///< slot for the record as a map; kNone if no rule reads it whole
  std::vector<FieldBinding> fields;  ///< sorted by name
  const RecordType* type = nullptr;  ///< nullptr if dynamic
  const FieldBinding* find(std::string_view field) const&;
  const FieldBinding* find(std::string_view field) const&& = delete;
};

enum class Risk : uint8_t { none = 0, low = 1, medium = 2, high = 3, critical = 4 };

/// The name of each Risk, by its number.
inline constexpr std::array<std::string_view, 5> kRiskNames = {"none", "low", "medium", "high", "critical"};
constexpr std::optional<Risk> find_risk(std::string_view name) {
  for (size_t i = 0; i < kRiskNames.size(); ++i) {
    if (kRiskNames[i] == name) return static_cast<Risk>(i);
  }
  return std::nullopt;
}

/// What an agent may call: a tool, a query, a payment.
struct ORDAIN_API Capability {
  std::string name;
  std::string type;                  ///< "tool", ...
  double risk = 0;                   ///< a Risk, or the host's number
  std::vector<std::string> effects;  ///< "irreversible", "external", ...
  std::string owner, description;
  std::vector<std::string> scopes, tags;
  /// The fields that are declared `secret`, sorted, written as in a `redact`: "input.token", "output.keys[*]". Rules
  /// read their values, and records hold digests of them.
  std::vector<std::string> secrets;
  bool declared = false;    ///< by `capability`; otherwise only a policy's target names it
  uint32_t input = kNone;   ///< index into Schema::records
  uint32_t output = kNone;  ///< index into Schema::records; kNone: undeclared, anything fits
  bool has_effect(std::string_view effect) const;
};

/// Targets with `*` are numbered. A capability's name matches a set of them.
inline constexpr size_t kMaxGlobs = 256;
using GlobSet = std::bitset<kMaxGlobs>;

/// True if the dotted (or quoted) `name` matches `pattern`: `*` alone matches every name, `*`
/// within a pattern matches any characters but '.', and a trailing `.*` matches one or more further
/// segments.
ORDAIN_API bool glob_matches(std::string_view pattern, std::string_view name);

struct ORDAIN_API Schema {
  std::vector<Slot> slots;
  std::vector<RecordBinding> records;
  std::vector<Capability> capabilities;  ///< declared ones and exact targets, in source order
  std::vector<std::string> globs;
  std::map<std::string, uint32_t, std::less<>> roots;  ///< "agent", "principal", ..., "metadata" -> record
  uint32_t undeclared_input = kNone;                   ///< dynamic record for capabilities unknown to the program
  uint32_t undeclared_output = kNone;
  uint32_t slot_count[2] = {0, 0};  ///< by bank
  uint32_t bit_words[2] = {0, 0};   ///< by bank: 64-bit words of membership bits

  const Capability* find_capability(std::string_view name) const&;
  const Capability* find_capability(std::string_view name) const&& = delete;
};

}  // namespace ordain
