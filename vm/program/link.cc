// Turns ProgramData into a Program: verifies it, resolves functions, prepares constant
// arguments, and builds look-up tables.
#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "ordain/digest.h"
#include "vm/program/link_index.h"
#include "vm/program/linked_program.h"
#include "vm/program/program_data.h"
#include "vm/program/superinstructions.h"
#include "vm/program/verify.h"

namespace ordain::vm {
namespace {

Error bad_program(std::string message) { return {"bad_program", std::move(message)}; }

Result<void> resolve_imports(const ProgramData& data, const FunctionTable& functions, LinkTables* tables) {
  for (const Import& import : data.imports) {
    const Function* function = functions.find(import.name);
    const Overload* overload = import.overload.empty() ? nullptr : functions.find_overload(import.overload);
    if (function == nullptr) return Error{"unknown_function", fmt::format("function `{}` is not known", import.name)};
    if (!import.overload.empty()) {
      if (overload == nullptr || overload->name != import.name || overload->call == nullptr) {
        return Error{"unknown_function",
                     fmt::format("overload `{}` of function `{}` is not known", import.overload, import.name)};
      }
      if (overload->params.size() != import.args) {
        return bad_program(fmt::format("import of `{}` has {} arguments, the function has {}", import.overload,
                                       import.args, overload->params.size()));
      }
    }
    tables->functions.push_back(function);
    tables->overloads.push_back(overload);
  }
  return {};
}

Result<void> prepare_calls(const ProgramData& data, LinkTables* tables) {
  for (const Prepared& prepared : data.prepared) {
    const Overload* overload = tables->overloads[prepared.import];
    const Value& constant = data.constants[prepared.constant];
    if (overload == nullptr || overload->preparation.prepare == nullptr || overload->preparation.call == nullptr) {
      return bad_program(fmt::format("`{}` has no argument to prepare", data.imports[prepared.import].name));
    }
    const Preparation& how = overload->preparation;
    const Kind kind = kind_of(*overload->params[static_cast<size_t>(how.arg)]);
    if (kind != Kind::absent && constant.kind != kind) {
      return bad_program(fmt::format("the prepared argument of `{}` is of the wrong kind", overload->id));
    }
    std::string error;
    LinkedPrepared linked{overload, how.prepare(constant, &error)};
    if (linked.object == nullptr) {
      return bad_program(fmt::format("the prepared argument of `{}` is not valid: {}", overload->id, error));
    }
    tables->prepared.push_back(std::move(linked));
  }
  return {};
}

void place_slots(const ProgramData& data, LinkTables* tables) {
  tables->slots.reserve(data.schema.slots.size());
  for (const Slot& slot : data.schema.slots) {
    tables->slots.push_back({static_cast<uint32_t>(slot.bank), slot.index, slot.first_bit, kind_of(*slot.type),
                             slot.compared, slot.builtin, !slot.member_symbols.empty(), false});
  }
  for (const RecordBinding& record : data.schema.records) {
    for (const FieldBinding& field : record.fields) {
      if (field.slot != kNone && is_limited(*field.type)) tables->slots[field.slot].limited = true;
    }
  }
  tables->max_registers = max_registers(data);
  tables->max_saved_faults = max_saved_faults(data);
}

void find_budgets(const ProgramData& data, LinkTables* tables) {
  std::unordered_map<std::string_view, uint32_t> by_package;
  for (const PackageInfo& package : data.packages) {
    if (package.budget != 0) by_package.try_emplace(package.name, package.budget);
  }
  if (by_package.empty()) return;
  tables->budgets.reserve(data.rules.size());
  for (const RuleInfo& rule : data.rules) {
    const auto found = by_package.find(rule.package);
    tables->budgets.push_back(found != by_package.end() ? found->second : 0);
  }
}

void index_members(const Schema& schema, KeyIndex* index) {
  size_t count = 0;
  for (const Slot& slot : schema.slots) count += slot.member_symbols.size();
  index->reserve(count);
  for (SlotId id = 0; id < schema.slots.size(); ++id) {
    const Slot& slot = schema.slots[id];
    for (uint32_t i = 0; i < slot.member_symbols.size(); ++i) {
      index->insert(uint64_t{id} << 32 | slot.member_symbols[i], slot.first_bit + i);
    }
  }
}

// Frees unused capacity: the tables were filled item by item, but a Program does not grow.
void shrink(ProgramData& data) {
  const auto shrink_all = [](auto&... tables) { (tables.shrink_to_fit(), ...); };
  shrink_all(data.locations, data.symbols, data.constants, data.code, data.register_kinds, data.handlers,
             data.insn_locations, data.predicates, data.shared_lets, data.rules, data.rule_codes, data.rule_list,
             data.index_notes, data.index_nodes, data.index_edges, data.index_leaves, data.index_literals,
             data.package_rules, data.capability_rules, data.schema.slots, data.schema.capabilities);
}

}  // namespace

Result<std::shared_ptr<const Program>> link_program(ProgramData data, const FunctionTable& functions) {
  auto program = link_undigested(std::move(data), functions);
  if (!program) return program.error();
  (*program)->digest = sha256((*program)->serialise());
  return std::shared_ptr<const Program>(std::move(*program));
}

Result<std::shared_ptr<LinkedProgram>> link_undigested(ProgramData data, const FunctionTable& functions) {
  auto program = std::make_shared<LinkedProgram>();
  program->data = std::move(data);
  shrink(program->data);
  const ProgramData& d = program->data;
  LinkTables& tables = program->tables;
  tables.table = &functions;

  if (std::string wrong = verify_tables(d); !wrong.empty()) return bad_program(std::move(wrong));
  if (std::string wrong = verify_rules(d); !wrong.empty()) return bad_program(std::move(wrong));
  if (auto done = resolve_imports(d, functions, &tables); !done) return done.error();
  if (auto done = prepare_calls(d, &tables); !done) return done.error();
  if (std::string wrong = verify_code(d, tables); !wrong.empty()) return bad_program(std::move(wrong));
  if (std::string wrong = verify_history(d); !wrong.empty()) return bad_program(std::move(wrong));

  place_slots(d, &tables);
  find_budgets(d, &tables);
  prepare_index(d, &tables);
  tables.steps = choose_steps(d);
  index_members(d.schema, &program->member_bits);
  program->symbols.build(d.symbols.size(), [&d](uint32_t i) -> std::string_view { return d.symbols[i]; });
  program->capabilities.build(d.schema.capabilities.size(),
                              [&d](uint32_t i) -> std::string_view { return d.schema.capabilities[i].name; });
  program->native.reserve(d.predicates.size(), d.rule_list.size(), d.schema.capabilities.size());
  return program;
}

}  // namespace ordain::vm
