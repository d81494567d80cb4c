// The program of soft actor-critic: every kernel of an update, in the order of their launches. Each
// reads only what earlier ones wrote.
//
//     sac_first_layers       actor on s' and s, critics on (s, a)
//     sac_second_layers      the same
//     sac_target_first       a' and log pi'; targets on (s', a')
//     sac_target_second      the same
//     sac_critic_backward    y, the critics' losses and gradients
//     sac_critic_update      Adam of the critics, the targets' step
//     sac_policy_first       the policy's action and log pi; updated critics on (s, action)
//     sac_policy_second      the same
//     sac_policy_backward    the gradient of the smaller Q with respect to the action
//     sac_outputs_backward   from there to the actor's second layer
//     sac_actor_backward     the actor's gradient
//     sac_actor_update       Adam of the actor and of the temperature
#include "sac_actor.cu"
