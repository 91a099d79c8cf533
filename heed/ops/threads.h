// The threads that Heed's operators compute with.
#pragma once

namespace heed {

// From now on Heed's operators share their work among `count` threads of Heed's own (ThreadPool),
// the calling one included, and torch's operators stay on the calling thread: OpenMP's threads
// would take the processors from Heed's while they wait. Where dense products are torch's (see
// linear_engine.h), torch's pool gets `count` threads and is shared as before. Not while operators
// run. Results have the same bits with any count.
//
// Without this call, and after set_threads(0), operators take torch's threads, as many as
// at::get_num_threads() says: what a program wants that calls Heed between torch's own operators.
void set_threads(int count);

// How many threads an operator may take.
int threads();

}  // namespace heed
