// The program of training: every kernel of a step.
#include "muon.cu"
#include "attention.cu"
