// ordain freeze and ordain thaw: an operator's stop switch, and its release.
#include "ordain/freeze.h"

#include <memory>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database, by;
  std::string capability = "*", agent, because;
  bool list = false, json = false;
};

int fail_on_freeze(const Error& error) {
  complain(error.message);
  const bool refused = error.code == "not_frozen" || error.code == "invalid_freeze" || error.code == "too_many";
  return refused ? kFindings : kUsage;
}

std::string what_is_frozen(const std::string& capability, const std::string& agent) {
  return (capability == "*" ? "all calls" : "calls of " + capability) + (agent.empty() ? "" : " by agent " + agent);
}

int print_freezes(const Options& options) {
  auto freezes = list_freezes(options.database);
  if (!freezes) return fail_on_freeze(freezes.error());
  if (freezes->empty() && !options.json) print_out("nothing is frozen\n");
  for (const Freeze& freeze : *freezes) {
    if (options.json) {
      write_out(to_json(freeze) + "\n");
    } else {
      print_out("{} since {} by {}: {}\n", what_is_frozen(freeze.capability, freeze.agent),
                format_second(freeze.since_ns), freeze.by, freeze.because);
    }
  }
  return kOk;
}

int freeze(const Options& options) {
  if (options.list) return print_freezes(options);
  if (options.because.empty()) {
    complain("--because is required: callers and the record need the reason");
    return kUsage;
  }
  Freeze made;
  made.capability = options.capability;
  made.agent = options.agent;
  made.because = options.because;
  made.by = options.by.empty() ? user_name() : options.by;
  if (auto frozen = freeze_calls(options.database, made); !frozen.ok()) return fail_on_freeze(frozen.error());
  print_out("{}: frozen\n", what_is_frozen(made.capability, made.agent));
  return kOk;
}

int thaw(const Options& options) {
  const Thaw lifted{options.capability, options.agent, options.because, options.by.empty() ? user_name() : options.by};
  if (auto done = thaw_calls(options.database, lifted); !done.ok()) return fail_on_freeze(done.error());
  print_out("{}: no longer frozen by this; `ordain freeze --list` shows what is\n",
            what_is_frozen(lifted.capability, lifted.agent));
  return kOk;
}

}  // namespace

void add_freeze(Command parent) {
  auto options = std::make_shared<Options>();
  Command stop = parent.add_command("freeze", "Stop calls at once, whatever policies say");
  add_database_option(stop, options->database);
  stop.add_option("--capability", options->capability, "a name, or a glob such as payments.*").show_default();
  stop.add_option("--agent", options->agent, "only calls of this agent");
  stop.add_option("--because", options->because, "the reason, which callers and the record get");
  stop.add_option("--as", options->by, "who stops them (default: your user name)");
  stop.add_flag("--list", options->list, "show what is frozen");
  stop.add_flag("--json", options->json, "with --list: print JSON, one object a line");
  stop.set_footer(
      "Every process that uses the directory denies the calls within a second, with code `frozen`, under observe too.\n"
      "Calls that run already go on.\n"
      "Exit codes: 0 done, 1 refused (too many freezes, a text that cannot be kept), 2 no database, wrong usage, or "
      "the "
      "freeze could not be written or recorded.");
  stop.set_action([options] { return freeze(*options); });
}

void add_thaw(Command parent) {
  auto options = std::make_shared<Options>();
  Command lift = parent.add_command("thaw", "Lift a freeze");
  add_database_option(lift, options->database);
  lift.add_option("--capability", options->capability, "as the freeze has it").show_default();
  lift.add_option("--agent", options->agent, "as the freeze has it");
  lift.add_option("--because", options->because, "why, for the record");
  lift.add_option("--as", options->by, "who lifts it (default: your user name)");
  lift.set_footer(
      "Lifts the freeze that has exactly this capability and agent.\n"
      "Exit codes: 0 done, 1 there is no such freeze, 2 no database, wrong usage, or it could not be recorded.");
  lift.set_action([options] { return thaw(*options); });
}

}  // namespace ordain::cli
