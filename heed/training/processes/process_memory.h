// What this process takes of the machine.
#pragma once

#include <cstdint>
#include <string>

namespace heed::training {

uint64_t resident_bytes();       // now; 0 where the system does not say
uint64_t peak_resident_bytes();  // the most so far
std::string cpu_name();          // "AMD EPYC 9B45"; empty where the system does not say

}  // namespace heed::training
