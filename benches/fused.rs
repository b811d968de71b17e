//! Microseconds per step of six networks on one thread; of those with 784 inputs also on inputs that are mostly background.

use std::time::Instant;

use emberlab_fused::{
    Activation, Data, Foreground, HostTraining, Loss, Normalization, Optimizer, Plan, Results,
    State,
};

fn main() {
    // Cargo itself passes `--bench`.
    let only = std::env::args().skip(1).find(|word| word != "--bench");
    let relu = Activation::Relu;
    let sgd = Optimizer::Sgd {
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
    };
    let adam = Optimizer::Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        decoupled_decay: 0.0,
    };
    let batch_norm = Normalization::Batch {
        momentum: 0.1,
        epsilon: 1e-5,
    };
    let work: [(&[usize], Normalization, usize, Optimizer); 6] = [
        (&[784, 100, 100, 100, 10], batch_norm, 32, sgd),
        (&[784, 20, 20, 10], Normalization::None, 32, sgd),
        (&[784, 256, 128, 10], Normalization::None, 256, adam),
        (&[64, 32, 2], Normalization::None, 70, sgd),
        (&[2, 16, 16, 2], Normalization::None, 700, adam),
        (&[4, 10, 3], Normalization::None, 8, sgd),
    ];
    for (index, (sizes, normalization, batch, optimizer)) in work.into_iter().enumerate() {
        if only.as_ref().is_none_or(|only| *only == index.to_string()) {
            measure(sizes, normalization, batch, optimizer, relu, false);
            if sizes[0] == 784 {
                measure(sizes, normalization, batch, optimizer, relu, true);
            }
        }
    }
    for activation in [
        relu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::LeakyRelu { alpha: 0.01 },
        Activation::Elu { alpha: 1.0 },
        Activation::Selu,
        Activation::Swish,
        Activation::Gelu,
        Activation::Softplus,
        Activation::Mish,
    ] {
        if only.is_none() {
            let none = Normalization::None;
            measure(&[2, 16, 16, 2], none, 700, adam, activation, false);
        }
    }
}

fn measure(
    sizes: &[usize],
    normalization: Normalization,
    batch: usize,
    optimizer: Optimizer,
    activation: Activation,
    has_background: bool,
) {
    let plan = Plan {
        normalizations: vec![normalization; sizes.len() - 2],
        ..Plan::new(sizes, activation, Loss::CrossEntropy, optimizer)
    };
    let wave =
        |n: usize, f: f32| -> Vec<f32> { (0..n).map(|k| f * (1.7 * k as f32).sin()).collect() };
    let n = plan.num_parameters();
    let state = State {
        parameters: wave(n, 0.05),
        running: vec![1.0; plan.num_running()],
        buffers: vec![vec![0.0; n]; optimizer.num_buffers()],
        step: 0,
        step_seed: 0,
    };
    let num_samples = 8 * batch;
    let (d_in, d_out) = (plan.d_input(), plan.d_output());
    let mut inputs = wave(num_samples * d_in, 1.0);
    if has_background {
        // Like MNIST, standardised: a fifth of each image are strokes, ten pixels wide here.
        for (k, x) in inputs.iter_mut().enumerate() {
            if k * 7 / 10 % 5 != 0 {
                *x = -0.42;
            }
        }
    }
    let foreground = Foreground::of(&inputs, &plan, batch);
    let targets: Vec<f32> = (0..num_samples * d_out)
        .map(|k| f32::from(u8::from(k % d_out == k / d_out * 7 % d_out)))
        .collect();
    let data = Data {
        inputs: &inputs,
        targets: &targets,
        weights: None,
        foreground: foreground.as_ref(),
    };
    let rows: Vec<u32> = (0..num_samples as u32)
        .map(|k| (k * 37) % num_samples as u32)
        .collect();
    let mut training = HostTraining::new(plan, state).expect("a state");
    let mut best = f64::INFINITY;
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < 1.0 {
        let lap = Instant::now();
        let mut results = Results::default();
        training.train(data, &rows, batch, &[0.01; 8], &mut results);
        best = best.min(lap.elapsed().as_secs_f64() / 8.0);
    }
    let kind = match foreground {
        Some(_) => ", mostly background",
        None => "",
    };
    println!(
        "{sizes:?} {activation:?} batch {batch}{kind}: {:.2} us per step",
        best * 1e6
    );
}
