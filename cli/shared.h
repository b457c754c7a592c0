// What the commands share with the C interface: events as JSON text, decisions as JSON text.
#pragma once

#include "vm/wire/decision_json.h"
#include "vm/wire/event.h"

namespace ordain::cli {

using detail::decision_json;
using detail::error_json;
using detail::EventError;
using detail::EventReader;
using detail::Now;

}  // namespace ordain::cli
