// The program of training: every kernel of a step.
#include "update.cu"
#include "attention.cu"
