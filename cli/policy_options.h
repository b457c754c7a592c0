// The options of commands that decide: which policies, which events, by which engine and default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "ordain/decide.h"

namespace ordain::cli {

/// The positional argument `PATH`: policies.
void add_policy_paths(Command command, std::vector<std::string>& paths);

/// `--policies`. @param about what the help says of it
constexpr const char* kPoliciesHelp = "policy files, directories searched for *.policy, or a compiled program alone";
void add_policies_option(Command command, std::vector<std::string>& paths, const char* about = kPoliciesHelp);

/// `--events`: a file of JSON lines or standard input.
void add_events_option(Command command, std::string& file);

/// `--engine interpreter|jit`. @param about what the help says of it
void add_engine_option(Command command, std::string& engine, const char* about);

/// `--default`: the effect where no rule speaks. @param about what the help says of it
constexpr const char* kDefaultHelp = "effect where no rule speaks, in the before stage";
void add_default_option(Command command, std::string& effect, const char* about = kDefaultHelp);

/// `--budget N`: how many steps each condition may spend.
void add_budget_option(Command command, uint64_t& steps);

/// How to decide by what these options say: `engine` "interpreter" or "jit"; `effect` "" for deny. The default is for
/// calls before they run; what has run is released unless a rule withholds it.
DecideOptions decide_options(const std::string& engine, const std::string& effect, uint64_t budget = Budget().cost);

}  // namespace ordain::cli
