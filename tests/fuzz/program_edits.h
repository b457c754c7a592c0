// program_edits changes the tables of a program at random, each in its own terms: an operand becomes
// another register, a range loses its last element, a slot moves to the other bank. Bytes that are
// changed at random are nearly always refused by the loader; these programs reach the verifier, and
// many of them pass it.
#pragma once

#include <random>

#include "vm/program/program_data.h"

namespace ordain::fuzz {

/// Makes one to six changes. The result can be serialised, but is rarely a valid program.
void edit_program(ProgramData& data, std::mt19937_64& random);

}  // namespace ordain::fuzz
