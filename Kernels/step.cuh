// What changes from one training step to the next, where a captured graph finds it: in device memory.
#pragma once

struct StepValues {
    unsigned long long streams;  // random streams that this step's lie behind those the graph was captured with
    float correction2, step_size;  // as adam.cu has them
};
