// ordain state: shows what is remembered between calls, and forgets the share of a key.
#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/policy_options.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/digest.h"
#include "ordain/fill_state.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "runtime/state/inspect.h"
#include "runtime/state/key.h"

namespace ordain::cli {
namespace {

using state::Definition;
using state::Inspection;
using state::KeyShare;

struct Options {
  std::string database, name, key, because, by;
  std::vector<std::string> policies;
  bool all = false, json = false;
};

int fail_on_state(const Error& error) {
  complain(error.message);
  return error.code == "invalid_reset" ? kFindings : kUsage;
}

std::string keys_text(const Definition& definition) {
  std::string out;
  for (const KeySource source : definition.keys) out += (out.empty() ? "" : ", ") + std::string(to_string(source));
  return out.empty() ? "global" : out;
}

std::string span_text(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  return ns % kSecond == 0 ? fmt::format("{}s", ns / kSecond) : fmt::format("{}ns", ns);
}

std::string means(const Definition& definition) {
  switch (definition.kind) {
    case StateKind::history:
      return fmt::format("{} calls{}", to_string(definition.verb),
                         definition.window_ns == 0 ? "" : " within " + span_text(definition.window_ns));
    case StateKind::rate:
      return "a call each " + span_text(definition.interval_ns);
    case StateKind::budget:
      break;
  }
  if (definition.period == BudgetPeriod::none) return "never refilled";
  if (definition.period == BudgetPeriod::at_once) return "at once";
  const std::string zone = definition.zone.empty() ? "UTC" : definition.zone;
  return fmt::format("each {} in {}", to_string(definition.period), zone);
}

/// Identifies one definition of a name, of which an earlier set may have had another.
std::string definition_text(const Definition& definition) { return to_hex(definition.digest).substr(0, 12); }

std::string frees_text(const Definition& definition, const KeyShare& share) {
  if (share.frees_ns) return format_second(*share.frees_ns);
  if (definition.kind != StateKind::budget) return "-";
  return definition.period == BudgetPeriod::at_once ? "when calls end"
         : definition.period == BudgetPeriod::none  ? "-"
                                                    : fmt::format("next {}", to_string(definition.period));
}

bool has_amount(const Definition& definition) { return definition.sums || definition.kind == StateKind::budget; }

std::string share_json(const Definition& definition, const KeyShare& share) {
  std::string out = fmt::format("{{\"state\": {}, \"definition\": \"{}\", \"key\": {}, \"count\": {}, \"running\": {}",
                                json_text(definition.name), definition_text(definition),
                                json_text(state::describe_key(share.key)), share.count, share.running);
  if (has_amount(definition)) out += fmt::format(", \"amount\": \"{}\"", share.amount);
  if (share.last_ns) out += fmt::format(", \"last\": \"{}\"", format_time(*share.last_ns));
  if (share.frees_ns) out += fmt::format(", \"frees\": \"{}\"", format_time(*share.frees_ns));
  return out + "}\n";
}

int list_states(const Options& options) {
  auto found = state::inspect_state(options.database);
  if (!found) return fail_on_state(found.error());
  const auto& states = found->ledger.states;
  if (!options.json && states.empty()) print_out("no states\n");
  Table table(
      {{"state", 24, 12}, {"definition", 12}, {"kind", 8}, {"what", 28, 12}, {"kept by", 24, 10}, {"keys", 0, 4}});
  for (const state::State& one : states) {
    const Definition& definition = one.definition;
    if (options.json) {
      write_out(
          fmt::format("{{\"state\": {}, \"definition\": \"{}\", \"kind\": \"{}\", \"what\": {}, \"by\": {}, "
                      "\"keys\": {}, \"known_since\": \"{}\"}}\n",
                      json_text(definition.name), definition_text(definition), to_string(definition.kind),
                      json_text(means(definition)), json_text(keys_text(definition)), one.keys(),
                      format_time(state::wall_time(one.known_since, found->now))));
    } else {
      table.add({definition.name, definition_text(definition), std::string(to_string(definition.kind)),
                 means(definition), keys_text(definition), std::to_string(one.keys())});
    }
  }
  if (!options.json) table.finish();
  return kOk;
}

int show_state(const Options& options) {
  auto found = state::inspect_state(options.database);
  if (!found) return fail_on_state(found.error());
  bool known = false;
  Table table({{"key", 32, 12},
               {"count", 6, 0, true},
               {"running", 7, 0, true},
               {"amount", 16, 0, true},
               {"last", 20},
               {"frees", 0, 20}});
  for (uint32_t i = 0; i < found->ledger.states.size(); ++i) {
    const Definition& definition = found->ledger.states[i].definition;
    if (definition.name != options.name) continue;
    known = true;
    for (const KeyShare& share : list_shares(*found, i)) {
      const std::string key = state::describe_key(share.key);
      if (!options.key.empty() && key != options.key) continue;
      if (options.json) {
        write_out(share_json(definition, share));
      } else {
        table.add({key, std::to_string(share.count), std::to_string(share.running),
                   has_amount(definition) ? fmt::format("{}", share.amount) : "-",
                   share.last_ns ? format_second(*share.last_ns) : "-", frees_text(definition, share)});
      }
    }
  }
  if (!known) return fail(Error{"no_state", "there is no state " + options.name}, kFindings);
  if (!options.json) table.finish();
  return kOk;
}

int reset_state(const Options& options) {
  auto found = state::inspect_state(options.database);
  if (!found) return fail_on_state(found.error());
  if (options.all != options.key.empty()) {
    complain("say which share to forget: --key KEY as `ordain state show` prints it, or --all");
    return kUsage;
  }
  size_t forgotten = 0;
  for (uint32_t i = 0; i < found->ledger.states.size(); ++i) {
    if (found->ledger.states[i].definition.name != options.name) continue;
    for (const KeyShare& share : list_shares(*found, i)) {
      if (!options.all && state::describe_key(share.key) != options.key) continue;
      const state::Reset reset{i, share.key, options.because, options.by.empty() ? user_name() : options.by};
      if (auto done = reset_share(options.database, *found, reset); !done.ok()) return fail_on_state(done.error());
      ++forgotten;
    }
  }
  if (forgotten == 0) return fail(Error{"no_share", "nothing is held for this key of " + options.name}, kFindings);
  print_out("{} of {} forgotten\n", count_text(forgotten, "share"), options.name);
  return kOk;
}

int fill_states(const Options& options) {
  const Compilation compilation = compile(options.policies, standard_library());
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  auto filled = fill_state(options.database, compilation.program);
  if (!filled) return fail(filled.error());
  if (filled->empty()) print_out("the policies remember nothing\n");
  for (const FilledState& one : *filled) {
    if (one.kept) {
      print_out("{}: is kept already\n", one.name);
    } else if (!one.added) {
      print_out("{}: begins empty, because rules read in which order calls came\n", one.name);
    } else if (one.since_ns == 0) {
      print_out("{}: {} of the record\n", one.name, count_text(one.calls, "call"));
    } else {
      print_out("{}: {} of the record, known since {}\n", one.name, count_text(one.calls, "call"),
                format_second(one.since_ns));
    }
  }
  return kOk;
}

}  // namespace

void add_state(Command parent) {
  auto options = std::make_shared<Options>();
  Command state = parent.add_command("state", "What is remembered between calls");
  state.require_command();
  state.set_footer(
      "Amounts are in the units in which they are kept: ones, millionths of a double, nanoseconds of a duration.\n"
      "Exit codes: 0 done, 1 there is no such state or key, or the reset was refused, 2 no database, wrong usage, or "
      "it "
      "could not be written or recorded.");

  Command lister = state.add_command("list", "The histories, rates and budgets of a directory");
  add_database_option(lister, options->database);
  lister.add_flag("--json", options->json, "print JSON, one object a line");
  lister.set_action([options] { return list_states(*options); });

  Command shower = state.add_command("show", "What one of them holds for each key, and when it frees");
  shower.add_option("NAME", options->name, "the state").required();
  add_database_option(shower, options->database);
  shower.add_option("--key", options->key, "only of this key");
  shower.add_flag("--json", options->json, "print JSON, one object a line");
  shower.set_action([options] { return show_state(*options); });

  Command filler = state.add_command("fill", "Give new histories, rates and budgets their past, from the audit log");
  add_database_option(filler, options->database);
  add_policies_option(filler, options->policies, "the policies that declare them");
  filler.set_footer(
      "Do so before a runtime uses the policies: what a directory keeps already stays as it is.\n"
      "Exit codes: 0 done, 2 no database, policies or usage wrong, or it could not be written.");
  filler.set_action([options] { return fill_states(*options); });

  Command resetter = state.add_command("reset", "Forget the share of a key, which is recorded");
  resetter.add_option("NAME", options->name, "the state").required();
  add_database_option(resetter, options->database);
  resetter.add_option("--key", options->key, "the key, as `ordain state show` prints it");
  resetter.add_flag("--all", options->all, "all keys");
  resetter.add_option("--because", options->because, "why, for the record").required();
  resetter.add_option("--as", options->by, "who resets (default: your user name)");
  resetter.set_action([options] { return reset_state(*options); });
}

}  // namespace ordain::cli
