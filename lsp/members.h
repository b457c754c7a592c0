// members.h finds the fields of records, as declarations have them, by the names that lead to them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/model.h"
#include "lsp/place.h"

namespace ordain::lsp {

/// A field, or a name of the call's facts.
struct Member {
  std::string owner;  ///< what declares it: "send_money.input", "agent"
  std::string name;
  const Type* type = nullptr;
  bool optional = false;
  Span span{UINT32_MAX, 0, 0};                   ///< of its name in the declaration; no file if it is built in
  const syntax::RecordSyntax* record = nullptr;  ///< as it is written, if the type is or holds a record
};

/// The declared capabilities that the text at a place is about.
std::vector<const policy::CapabilityShape*> capabilities_at(const SetModel& model, const Place& place);

/// What the dotted names mean at a place: one for each capability that declares it. Empty if nothing is declared.
std::vector<Member> find_members(const SetModel& model, const Place& place, std::span<const std::string_view> names);
/// The fields of what the names mean, each name once.
std::vector<Member> fields_of(const SetModel& model, const Place& place, std::span<const std::string_view> names);

std::string type_text(const Member& member);
/// The values of an enumeration, or of a list of them, as policies write them; none for other types.
std::vector<std::string> values_of(const Member& member);
/// What a name of the call's facts stands for; "" if it is none.
std::string_view describe_root(std::string_view name);

}  // namespace ordain::lsp
