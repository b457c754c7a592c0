// ORDAIN_PRIVATE_API marks what libordain.so exports only for the libordain-jit.so of the same
// release. These symbols are in `ordain::ops` and `ordain::vm`, or start with `ordain_private_`. The
// linker gives them a symbol version that names the release (cmake/ordain.map.in).
#pragma once

#include "ordain/export.h"

#define ORDAIN_PRIVATE_API ORDAIN_API
