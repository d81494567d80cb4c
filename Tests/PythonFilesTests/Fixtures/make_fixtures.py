"""Files of NumPy, pickle and torch.save for the tests; run in a scratch environment with NumPy and PyTorch."""
import collections, io, os, pickle, sys, types, zipfile, struct
import numpy as np, torch
out = sys.argv[1]; P = os.path.join(out, "PythonFilesTests/Fixtures"); T = os.path.join(out, "TorchCheckpointsTests/Fixtures")
rng = np.random.default_rng(5)
# --- torch.save of many types
base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = collections.OrderedDict(
    f32=base.clone(), f64=torch.tensor([0.1, -2.5], dtype=torch.float64), f16=torch.tensor([1.5, -65504, 6e-8], dtype=torch.float16),
    bf16=torch.tensor([1.0, -3.140625, 1e30], dtype=torch.bfloat16), i64=torch.tensor([[1, -2]]), i32=torch.tensor([7, -8], dtype=torch.int32),
    i16=torch.tensor([300, -300], dtype=torch.int16), i8=torch.tensor([-5, 5], dtype=torch.int8), u8=torch.tensor([250, 1], dtype=torch.uint8),
    boolean=torch.tensor([True, False]), transposed=base.t(), part=base[1:, 1:3], scalar=torch.tensor(4.25), empty=torch.zeros(0, 3),
    parameter=torch.nn.Parameter(torch.tensor([9.0, 8.0])))
torch.save(state, f"{P}/types.pt"); torch.save(state, f"{P}/types_legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"step": 3, "state_dict": collections.OrderedDict(a=torch.tensor([1.0]))}, f"{P}/nested.pt")
torch.save({"a": torch.zeros(2).expand(1000, 2)}, f"{P}/expanded.pt")
class Evil:
    def __reduce__(self): return (os.system, ("true",))
torch.save({"a": Evil()}, f"{P}/evil.pt")
torch.save(torch.nn.Linear(1, 1), f"{P}/module.pt")
# --- npz
np.savez(f"{P}/stored.npz", f=rng.normal(size=(3, 2)).astype("<f4"), g=np.arange(3, dtype=">f8"), b=np.array([True, False]), i=np.array([[1, 2]], dtype=np.int16), h=np.array([0.5], np.float16))
np.savez_compressed(f"{P}/deflated.npz", f=np.arange(20000, dtype=np.float32).reshape(5000, 4), fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
np.savez(f"{P}/objects.npz", o=np.array([{}, None], dtype=object))
# --- pickles of arrays and numbers
for protocol in (2, 3, 4, 5):
    with open(f"{P}/arrays{protocol}.pkl", "wb") as f:
        pickle.dump({"a": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)), "n": np.int64(-7), "x": np.float64(0.5), "t": (1, None, True, 2**70, -1.5), "e": {}}, f, protocol)
# --- the authors' settings
def module(name, **members):
    m = types.ModuleType(name); [setattr(m, k, v) for k, v in members.items()]; sys.modules[name] = m; return m
class Config:
    def __init__(self, _class, **kw): self._class = _class; self._dict = dict(kw)
class GPT: pass
class DiscretizedDataset: pass
for c, n in ((Config, "trajectory.utils.config"), (GPT, "trajectory.models.transformers"), (DiscretizedDataset, "trajectory.datasets.sequence")):
    c.__module__ = n
for n in ("trajectory", "trajectory.utils", "trajectory.models", "trajectory.datasets"): module(n)
module("trajectory.utils.config", Config=Config); module("trajectory.models.transformers", GPT=GPT); module("trajectory.datasets.sequence", DiscretizedDataset=DiscretizedDataset)
os.makedirs(f"{T}/authors", exist_ok=True)
pickle.dump(Config(GPT, vocab_size=10, block_size=27, n_layer=2, n_head=2, n_embd=16, observation_dim=3, action_dim=2, transition_dim=7, action_weight=5, reward_weight=1, value_weight=1, embd_pdrop=0.1, resid_pdrop=0.1, attn_pdrop=0.1), open(f"{T}/authors/model_config.pkl", "wb"))
pickle.dump(Config(DiscretizedDataset, env="hopper-medium-v2", N=10, penalty=-100, sequence_length=4, step=1, discount=0.99, discretizer="QuantileDiscretizer"), open(f"{T}/authors/data_config.pkl", "wb"))
