// regex.cc implements regular expressions by RE2, which is linear in the input for every pattern. A
// constant pattern is compiled only once.
//
// What a search is charged follows from the pattern and the length of the text alone. RE2 searches
// with an automaton that it builds while it searches, at 0.1 to 2.1 ns a byte for patterns of 30 to
// 700 instructions, whatever the pattern. Only where a text makes the automaton outgrow its memory,
// RE2 simulates the program, which takes up to some 20 ns for each byte and instruction. A constant
// pattern was written by the author of the policy, so it is charged at the automaton's speed. A
// pattern that is known only at run time may come from the agent, as the text may, so it is charged
// for the simulation.
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <string>

#include "stdlib/regex_literals.h"
#include "stdlib/text_builder.h"
#include "stdlib/utf8.h"

namespace ordain::stdlib {
namespace {

// These limit a program to some 16,000 instructions, or to some 4,000 if it is compiled while a
// decision waits.
constexpr int64_t kMaxMemory = 1 << 20;
constexpr int64_t kMaxMemoryAtRun = 1 << 18;
constexpr uint64_t kMaxProgramAtRun = 4096;
constexpr size_t kMaxPattern = 64 << 10;
constexpr size_t kMaxGroups = 16;

std::unique_ptr<RE2> make_regex(std::string_view pattern, int64_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// 40 bytes at the automaton's 1 to 2 ns take about as long as other work of one step. They let a
// condition search a mebibyte for 30 patterns within the default budget.
constexpr uint64_t kBytesPerStep = 40;
// Programs up to this size are charged alike. Each further such number of instructions is charged as
// much again, because a large program means large states, which fill the automaton's memory soon.
constexpr uint64_t kProgramUnit = 1024;

uint64_t program_size(const RE2& regex) { return static_cast<uint64_t>(std::max(regex.ProgramSize(), 1)); }

// The cost of simulating the program: one step for two bytes times instructions.
uint64_t simulation_cost(const RE2& regex, size_t bytes) { return (uint64_t{bytes} + 1) * program_size(regex) / 2; }

// A compiled pattern, and whether it is a constant of the policy.
struct Pattern {
  const RE2& regex;
  bool constant;

  // The cost of one search in so many bytes.
  uint64_t search_cost(size_t bytes) const {
    if (!constant) return simulation_cost(regex, bytes);
    return 1 + uint64_t{bytes} / kBytesPerStep * (1 + program_size(regex) / kProgramUnit);
  }
  // The cost of finding groups within a match, for which RE2 simulates the program; and of finding
  // where a match without groups begins, for which an automaton reads it once more.
  uint64_t match_cost(size_t bytes, int groups) const {
    return groups > 1 ? simulation_cost(regex, bytes) : search_cost(bytes);
  }
};

std::shared_ptr<const void> prepare(const Value& pattern, std::string* error) {
  if (pattern.aux > kMaxPattern) {
    *error = "pattern is longer than 65536 bytes";
    return nullptr;
  }
  std::shared_ptr<RE2> regex = make_regex(pattern.as_text(), kMaxMemory);
  if (!regex->ok()) {
    *error = regex->error();
    return nullptr;
  }
  return regex;
}
uint64_t prepared_cost(const void* prepared, const Value* args) {
  return Pattern{*static_cast<const RE2*>(prepared), true}.search_cost(args[0].aux);
}

using Run = bool (*)(Eval& eval, const Pattern& pattern, const Value* args, Value* result);

// Calls a function with a pattern that is known only at run time. Compiling it is charged for: some
// 2 us an instruction if the instructions come from large character classes; a program that grew
// too large is charged like the largest.
template <Run run>
bool compile_and_run(Eval& eval, const Value* args, Value* result) {
  if (args[1].aux > kMaxPattern) return fail_with(eval, FaultCode::invalid_regex, "pattern is longer than 65536 bytes");
  if (!eval.charge(50 + uint64_t{args[1].aux} * 30)) return false;
  std::unique_ptr<RE2> regex = make_regex(args[1].as_text(), kMaxMemoryAtRun);
  bool too_large = regex->error_code() == RE2::ErrorPatternTooLarge;
  uint64_t program = too_large ? kMaxProgramAtRun : program_size(*regex);
  if (!eval.charge(program * 200)) return false;
  if (!regex->ok()) return eval.fail(FaultCode::invalid_regex, std::string_view(regex->error()));
  const Pattern pattern{*regex, false};
  if (!eval.charge(pattern.search_cost(args[0].aux))) return false;
  return run(eval, pattern, args, result);
}
template <Run run>
bool run_prepared(Eval& eval, const void* prepared, const Value* args, Value* result) {
  return run(eval, {*static_cast<const RE2*>(prepared), true}, args, result);
}

bool matches(Eval&, const Pattern& pattern, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  return give(result, Value::boolean(pattern.regex.Match(piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0)));
}

// extract and extractAll return the group if the pattern has one, otherwise the whole match.
bool one_group_at_most(Eval& eval, const RE2& regex) {
  if (regex.NumberOfCapturingGroups() <= 1) return true;
  return fail_with(eval, FaultCode::invalid_argument, "pattern has more than one capturing group");
}

bool extract(Eval& eval, const Pattern& pattern, const Value* args, Value* result) {
  const RE2& regex = pattern.regex;
  if (!one_group_at_most(eval, regex)) return false;
  std::string_view text = args[0].as_text();
  re2::StringPiece found[2];
  int wanted = regex.NumberOfCapturingGroups() + 1;
  if (!regex.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found, wanted)) {
    return give(result, Value::optional(nullptr));
  }
  if (!eval.charge(pattern.match_cost(found[0].size(), wanted))) return false;
  if (found[wanted - 1].data() == nullptr) return give(result, Value::optional(nullptr));
  auto* value = eval.array<Value>(1);
  if (value == nullptr) return false;
  *value = Value::string({found[wanted - 1].data(), found[wanted - 1].size()});
  return give(result, Value::optional(value));
}

// Calls each(groups, begin, end) for each match from left to right. An empty match right after
// another match does not count, and after an empty match the search continues one code point later,
// as RE2's GlobalReplace and Go do it. @returns false if `each` does, or if the budget is exhausted.
// A search may read all the remaining text before it settles for a short match, so each search is
// charged for that.
template <typename Each>
bool for_each_match(Eval& eval, const Pattern& pattern, std::string_view text, int groups, uint64_t limit,
                    const Each& each) {
  re2::StringPiece found[kMaxGroups];
  size_t at = 0;
  size_t last_end = SIZE_MAX;
  uint64_t count = 0;
  while (at <= text.size() && count < limit) {
    if (!eval.charge(pattern.search_cost(text.size() - at))) return false;
    if (!pattern.regex.Match(piece(text), at, text.size(), RE2::UNANCHORED, found, groups)) break;
    auto begin = static_cast<size_t>(found[0].data() - text.data());
    size_t end = begin + found[0].size();
    if (!eval.charge(pattern.match_cost(end - begin, groups))) return false;
    if (begin != end || begin != last_end) {
      if (!each(found, begin, end)) return false;
      ++count;
      last_end = end;
    }
    if (end > begin) {
      at = end;
    } else {
      at = end < text.size() ? end + code_point_size(text, end) : text.size() + 1;
    }
  }
  return true;
}

bool extract_all(Eval& eval, const Pattern& pattern, const Value* args, Value* result) {
  if (!one_group_at_most(eval, pattern.regex)) return false;
  std::string_view text = args[0].as_text();
  int groups = pattern.regex.NumberOfCapturingGroups() + 1;
  Value* out = nullptr;
  size_t count = 0;
  size_t capacity = 0;
  bool ok = for_each_match(eval, pattern, text, groups, UINT64_MAX, [&](const re2::StringPiece* found, size_t, size_t) {
    if (found[groups - 1].data() == nullptr) return true;
    if (count == capacity) {
      capacity = std::max<size_t>(8, capacity * 2);
      auto* grown = eval.array<Value>(capacity);
      if (grown == nullptr) return false;
      std::copy(out, out + count, grown);
      out = grown;
    }
    out[count++] = Value::string({found[groups - 1].data(), found[groups - 1].size()});
    return true;
  });
  if (!ok) return false;
  return give(result, Value::list({out, count}));
}

// Appends `by` with \1 to \9 (and \0, the whole match) replaced by groups; \\ stands for a
// backslash.
bool append_rewritten(TextBuilder& out, std::string_view by, const re2::StringPiece* found, int groups) {
  for (size_t at = 0; at < by.size();) {
    size_t slash = std::min(by.find('\\', at), by.size());
    if (slash > at && !out.append(by.substr(at, slash - at))) return false;
    if (slash == by.size()) break;
    char next = slash + 1 < by.size() ? by[slash + 1] : '\0';
    at = slash + 2;
    if (next == '\\') {
      if (!out.append("\\")) return false;
    } else if (next >= '0' && next <= '9' && next - '0' < groups) {
      const re2::StringPiece& group = found[next - '0'];
      if (!group.empty() && !out.append({group.data(), group.size()})) return false;
    } else {
      return fail_with(out.eval(), FaultCode::invalid_argument,
                       "replacement names a group that the pattern does not have");
    }
  }
  return true;
}

bool replace_up_to(Eval& eval, const Pattern& pattern, const Value* args, uint64_t limit, Value* result) {
  std::string_view text = args[0].as_text();
  int groups = std::min<int>(pattern.regex.NumberOfCapturingGroups() + 1, 10);
  TextBuilder out(eval);
  size_t copied = 0;
  bool any = false;
  bool ok =
      for_each_match(eval, pattern, text, groups, limit, [&](const re2::StringPiece* found, size_t begin, size_t end) {
        any = true;
        if (begin > copied && !out.append(text.substr(copied, begin - copied))) return false;
        copied = end;
        return append_rewritten(out, args[2].as_text(), found, groups);
      });
  if (!ok) return false;
  if (!any) return give(result, args[0]);
  if (copied < text.size() && !out.append(text.substr(copied))) return false;
  return give(result, Value::string(out.view()));
}
bool replace(Eval& eval, const Pattern& pattern, const Value* args, Value* result) {
  return replace_up_to(eval, pattern, args, UINT64_MAX, result);
}
bool replace_some(Eval& eval, const Pattern& pattern, const Value* args, Value* result) {
  return replace_up_to(eval, pattern, args, args[3].i < 0 ? UINT64_MAX : args[3].u, result);
}

template <Run run>
Overload regex_row(const char* name, const char* id, const char* signature, const char* doc) {
  return {name, id,      signature, compile_and_run<run>,
          doc,  nullptr, kMayLock,  {1, prepare, run_prepared<run>, prepared_cost}};
}

Overload with_literals(Overload row) {
  row.preparation.literals = regex_literals;
  return row;
}

}  // namespace

void add_regex(FunctionTable& table) {
  const Overload rows[] = {
      with_literals(regex_row<matches>("matches", "matches", "(string, string) -> bool",
                                       "Whether the regular expression (RE2) matches anywhere in the string.")),
      with_literals(regex_row<matches>("matches", "matches_string", "string.(string) -> bool",
                                       "Whether the regular expression (RE2) matches anywhere in the string.")),
      regex_row<extract>("regex.extract", "regex_extract_string_string", "(string, string) -> optional_type(string)",
                         "The first match: its group if the pattern has one, else the whole match."),
      regex_row<extract_all>("regex.extractAll", "regex_extractAll_string_string", "(string, string) -> list(string)",
                             "All matches: their groups if the pattern has one, else the whole matches."),
      regex_row<replace>("regex.replace", "regex_replace_string_string_string", "(string, string, string) -> string",
                         "The string with each match replaced; \\1 to \\9 stand for the match's groups."),
      regex_row<replace_some>("regex.replace", "regex_replace_string_string_string_int",
                              "(string, string, string, int) -> string",
                              "The same for at most that many matches from the start; all if the number is negative."),
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
